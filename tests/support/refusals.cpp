#include "tests/support/refusals.hpp"

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstddef>

namespace sandbox::test {

namespace {

constexpr int kRefused = 95;

sock_filter statement(int code, std::uint32_t value) {
    return {static_cast<std::uint16_t>(code), 0, 0, value};
}

sock_filter jump(int code, std::uint32_t value, std::uint8_t if_true, std::uint8_t if_false) {
    return {static_cast<std::uint16_t>(code), if_true, if_false, value};
}

void require(bool done) {
    if (!done) {
        ::_exit(kRefused);
    }
}

} // namespace

void refuse(const std::vector<Refusal>& refusals) {
    std::vector<sock_filter> program;
    for (const Refusal& refusal : refusals) {
        const auto number = static_cast<std::uint32_t>(refusal.call);
        const std::uint32_t answer = SECCOMP_RET_ERRNO | static_cast<std::uint32_t>(refusal.error_number);
        program.push_back(statement(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)));
        if (refusal.mask == 0) {
            program.push_back(jump(BPF_JMP | BPF_JEQ | BPF_K, number, 0, 1));
        } else {
            program.push_back(jump(BPF_JMP | BPF_JEQ | BPF_K, number, 0, 3));
            program.push_back(statement(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, args)));
            program.push_back(jump(BPF_JMP | BPF_JSET | BPF_K, refusal.mask, 0, 1));
        }
        program.push_back(statement(BPF_RET | BPF_K, answer));
    }
    program.push_back(statement(BPF_RET | BPF_K, SECCOMP_RET_ALLOW));
    const sock_fprog loaded{static_cast<unsigned short>(program.size()), program.data()};
    require(::geteuid() == 0 || ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
    require(::syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &loaded) == 0);
}

void own_mounts() {
    require(::unshare(CLONE_NEWNS) == 0);
    require(::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0);
}

void cover(const char* path) {
    require(::mount("/dev/null", path, nullptr, MS_BIND, nullptr) == 0);
}

} // namespace sandbox::test
