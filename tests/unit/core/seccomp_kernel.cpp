// The kernel's own answers: each program is loaded for real, in a child of its own, and must do what the evaluator
// says.
#include <linux/seccomp.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <boost/test/unit_test.hpp>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <new>
#include <vector>

#include "core/plan/seccomp_plan.hpp"
#include "core/seccomp.hpp"
#include "tests/support/bpf_evaluator.hpp"
#include "tests/support/seccomp_words.hpp"

using namespace sandbox;
using namespace sandbox::test;

namespace {

struct Call {
    long number = 0;
    std::array<std::uint64_t, 6> arguments = {};
};

/// What a child leaves behind: in shared memory, so that it needs no system call to say it.
struct Answers {
    static constexpr std::size_t kLimit = 1024;
    int loaded = -1;
    std::array<int, kLimit> error_numbers = {}; ///< 0 where the call succeeded
};

struct Outcome {
    Answers answers;
    int status = 0; ///< wait(2)'s
};

/// Makes the calls under the program, in a child that only loads it, calls and ends.
Outcome called_under(const seccomp::Program& program, const std::vector<Call>& calls) {
    void* memory = ::mmap(nullptr, sizeof(Answers), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    BOOST_TEST_REQUIRE(memory != MAP_FAILED);
    auto* answers = new (memory) Answers;
    const pid_t child = ::fork();
    BOOST_TEST_REQUIRE(child >= 0);
    if (child == 0) {
        ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
        answers->loaded = seccomp::load(program);
        for (std::size_t i = 0; answers->loaded == 0 && i < calls.size(); ++i) {
            const auto& [number, a] = calls[i];
            const long result = ::syscall(number, a[0], a[1], a[2], a[3], a[4], a[5]);
            answers->error_numbers[i] = result == -1 ? errno : 0;
        }
        ::syscall(SYS_exit_group, 0);
    }
    Outcome outcome;
    ::waitpid(child, &outcome.status, 0);
    outcome.answers = *answers;
    ::munmap(memory, sizeof(Answers));
    return outcome;
}

bool exempt(long number) {
#if defined(__x86_64__)
    // The kernel lets uretprobe and uprobe pass every filter.
    return number == 335 || number == 336;
#else
    return number < 0;
#endif
}

/// Compares the kernel's answers with the evaluator's for every call that the program refuses.
void compare_refusals(const seccomp::Program& program, const std::vector<Call>& candidates) {
    std::vector<Call> refused;
    for (const Call& call : candidates) {
        const auto answer =
            evaluate(program.instructions, system_call(static_cast<std::uint32_t>(call.number), call.arguments));
        if ((answer & SECCOMP_RET_ACTION_FULL) == SECCOMP_RET_ERRNO && !exempt(call.number)) {
            refused.push_back(call);
        }
    }
    BOOST_TEST_REQUIRE(refused.size() < Answers::kLimit);
    BOOST_TEST(refused.size() > 100U);
    const Outcome outcome = called_under(program, refused);
    BOOST_TEST_REQUIRE(outcome.answers.loaded == 0);
    BOOST_TEST((WIFEXITED(outcome.status) && WEXITSTATUS(outcome.status) == 0));
    for (std::size_t i = 0; i < refused.size(); ++i) {
        const auto answer = evaluate(program.instructions,
                                     system_call(static_cast<std::uint32_t>(refused[i].number), refused[i].arguments));
        BOOST_TEST(outcome.answers.error_numbers[i] == static_cast<int>(answer & SECCOMP_RET_DATA), refused[i].number);
    }
}

constexpr std::uint64_t kHigh = std::uint64_t{7} << 32;

/// Every number without arguments, and some with arguments that rules test.
std::vector<Call> candidates() {
    std::vector<Call> calls;
    for (long number = 0; number < 700; ++number) {
        calls.push_back({.number = number});
    }
    for (std::uint64_t family = 0; family < 50; ++family) {
        calls.push_back({.number = SYS_socket, .arguments = {family, SOCK_DGRAM}});
        calls.push_back({.number = SYS_socket, .arguments = {family | kHigh, SOCK_DGRAM}});
    }
    for (const std::uint64_t request : {std::uint64_t{TIOCSTI}, std::uint64_t{TIOCLINUX}}) {
        calls.push_back({.number = SYS_ioctl, .arguments = {~std::uint64_t{0}, request}});
        calls.push_back({.number = SYS_ioctl, .arguments = {~std::uint64_t{0}, request | kHigh}});
    }
    return calls;
}

seccomp::Program compiled(const Profile& profile) {
    return seccomp::compile(plan_seccomp(profile));
}

} // namespace

BOOST_AUTO_TEST_SUITE(seccomp_kernel)

BOOST_AUTO_TEST_CASE(the_kernel_refuses_what_the_evaluator_says_and_with_that_errno) {
    compare_refusals(compiled(filter("deny", {"@default", "@basic-io", "socket", "ioctl"}, {},
                                     {rule({"socket"}, "EAFNOSUPPORT", {when(0, "in", {"AF_VSOCK", "AF_ALG", "44"})}),
                                      rule({"ioctl"}, "deny", {when(1, "in", {"TIOCSTI", "TIOCLINUX"})}),
                                      rule({"clone3", "bpf", "mseal"}, "ENOSYS")})),
                     candidates());
}

BOOST_AUTO_TEST_CASE(what_is_allowed_reaches_the_kernel) {
    const seccomp::Program program =
        compiled(filter("deny", {"@default", "ioctl"}, {}, {rule({"ioctl"}, "deny", {when(1, "==", {"TIOCSTI"})})}));
    const Outcome outcome = called_under(program, {{.number = SYS_getppid},
                                                   {.number = SYS_ioctl, .arguments = {~std::uint64_t{0}, TCGETS}},
                                                   {.number = SYS_ioctl, .arguments = {~std::uint64_t{0}, TIOCSTI}}});
    BOOST_TEST(outcome.answers.error_numbers[0] == 0);
    BOOST_TEST(outcome.answers.error_numbers[1] == EBADF);
    BOOST_TEST(outcome.answers.error_numbers[2] == EPERM);
}

BOOST_AUTO_TEST_CASE(a_killed_call_ends_the_process_with_sigsys) {
    const seccomp::Program program = compiled(filter("deny", {"@default"}, {}, {rule({"getppid"}, "kill")}));
    const Outcome outcome = called_under(program, {{.number = SYS_getppid}});
    BOOST_TEST(outcome.answers.loaded == 0);
    BOOST_TEST((WIFSIGNALED(outcome.status) && WTERMSIG(outcome.status) == SIGSYS));
}

BOOST_AUTO_TEST_CASE(a_logged_call_is_executed) {
    const seccomp::Program program = compiled(filter("deny", {"@default"}, {}, {rule({"getppid"}, "log")}));
    BOOST_TEST(called_under(program, {{.number = SYS_getppid}}).answers.error_numbers[0] == 0);
}

#if defined(__x86_64__)
BOOST_AUTO_TEST_CASE(an_x32_call_ends_the_process) {
    constexpr long kX32Bit = 0x40000000;
    const seccomp::Program program = compiled(filter("allow", {}, {"bpf"}));
    const Outcome outcome = called_under(program, {{.number = kX32Bit | SYS_getpid}});
    BOOST_TEST((WIFSIGNALED(outcome.status) && WTERMSIG(outcome.status) == SIGSYS));
}

BOOST_AUTO_TEST_CASE(a_program_for_three_architectures_is_taken_by_the_kernel) {
    Profile profile =
        filter("deny", {"@system-service"}, {"socketcall", "ipc"},
               {rule({"socket"}, "deny", {when(0, "==", {"AF_VSOCK"})}),
                rule({"clone"}, "allow", {when(0, "!&", {"CLONE_NEWUSER"})}), rule({"clone3"}, "ENOSYS")});
    profile.seccomp.architectures.items = words({"native", "x86", "x32"});
    compare_refusals(compiled(profile), candidates());
}
#endif

BOOST_AUTO_TEST_CASE(a_program_that_is_not_well_formed_is_refused_by_the_kernel_too) {
    seccomp::Program program = compiled(filter("deny", {"@default"}));
    program.instructions.pop_back();
    program.instructions.back() = BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0);
    BOOST_TEST(!seccomp::is_well_formed(program.instructions));
    BOOST_TEST(called_under(program, {}).answers.loaded == -1);
}

BOOST_AUTO_TEST_SUITE_END()
