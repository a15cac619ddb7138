#include <linux/filter.h>
#include <linux/seccomp.h>

#include <cstddef>
#include <cstring>

#include "core/seccomp.hpp"

namespace sandbox::seccomp {

namespace {

bool holds(const sock_filter& branch, std::uint32_t word) {
    switch (BPF_OP(branch.code)) {
    case BPF_JEQ:
        return word == branch.k;
    case BPF_JGT:
        return word > branch.k;
    case BPF_JGE:
        return word >= branch.k;
    default:
        return (word & branch.k) != 0; // BPF_JSET, the last that is_well_formed knows
    }
}

} // namespace

std::uint32_t evaluate(const Program& program, const seccomp_data& data) {
    std::uint32_t word = 0;
    for (std::size_t at = 0; at < program.instructions.size(); ++at) {
        const sock_filter& instruction = program.instructions[at];
        switch (BPF_CLASS(instruction.code)) {
        case BPF_LD:
            std::memcpy(&word, reinterpret_cast<const char*>(&data) + instruction.k, sizeof word);
            break;
        case BPF_ALU:
            word &= instruction.k;
            break;
        case BPF_JMP:
            at += BPF_OP(instruction.code) == BPF_JA ? instruction.k
                  : holds(instruction, word)         ? instruction.jt
                                                     : instruction.jf;
            break;
        default:
            return instruction.k;
        }
    }
    return SECCOMP_RET_KILL_PROCESS; // a program without end: the kernel took none
}

} // namespace sandbox::seccomp
