#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>

#include "core/seccomp.hpp"

namespace sandbox::seccomp {

namespace {

/// Whether the instruction is one that the kernel takes in a filter and that our programs are made of.
bool is_known(const sock_filter& instruction) {
    switch (instruction.code) {
    case BPF_LD | BPF_W | BPF_ABS:
        return instruction.k < sizeof(seccomp_data) && instruction.k % sizeof(std::uint32_t) == 0;
    case BPF_ALU | BPF_AND | BPF_K:
    case BPF_JMP | BPF_JA:
    case BPF_JMP | BPF_JEQ | BPF_K:
    case BPF_JMP | BPF_JGT | BPF_K:
    case BPF_JMP | BPF_JGE | BPF_K:
    case BPF_JMP | BPF_JSET | BPF_K:
    case BPF_RET | BPF_K:
        return true;
    default:
        return false;
    }
}

} // namespace

bool is_well_formed(std::span<const sock_filter> instructions) {
    if (instructions.empty() || instructions.size() > BPF_MAXINSNS || instructions.back().code != (BPF_RET | BPF_K)) {
        return false;
    }
    for (std::size_t i = 0; i < instructions.size(); ++i) {
        const sock_filter& instruction = instructions[i];
        if (!is_known(instruction)) {
            return false;
        }
        const std::size_t behind = instructions.size() - i - 1; // instructions that a jump may pass over or reach
        if (BPF_CLASS(instruction.code) != BPF_JMP) {
            continue;
        }
        const bool inside = BPF_OP(instruction.code) == BPF_JA ? instruction.k < behind
                                                               : instruction.jt < behind && instruction.jf < behind;
        if (!inside) {
            return false;
        }
    }
    return true;
}

namespace {

int load(const Program& program, unsigned long flags) {
    // The kernel does not write to it: the const is lost only in the declaration of sock_fprog.
    const sock_fprog filter = {.len = static_cast<unsigned short>(program.instructions.size()),
                               .filter = const_cast<sock_filter*>(program.instructions.data())};
    return static_cast<int>(::syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &filter));
}

} // namespace

int load(const Program& program) {
    return load(program, 0);
}

int load_reporting(const Program& program) {
    // Without the second flag a signal ends the wait, and the call is made and told again.
    const int listener = load(program, SECCOMP_FILTER_FLAG_NEW_LISTENER | SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV);
    const bool is_too_new = listener < 0 && errno == EINVAL; // Linux 5.19
    return is_too_new ? load(program, SECCOMP_FILTER_FLAG_NEW_LISTENER) : listener;
}

} // namespace sandbox::seccomp
