#include "tests/support/bpf_evaluator.hpp"

#include <linux/audit.h>

#include <algorithm>
#include <cstring>
#include <stdexcept>

namespace sandbox::test {

namespace {

std::uint32_t word_at(const seccomp_data& data, std::uint32_t offset) {
    std::uint32_t word = 0;
    if (offset % sizeof word != 0 || offset > sizeof data - sizeof word) {
        throw std::runtime_error("a load outside of seccomp_data");
    }
    std::memcpy(&word, reinterpret_cast<const char*>(&data) + offset, sizeof word);
    return word;
}

bool holds(const sock_filter& branch, std::uint32_t accumulator) {
    switch (BPF_OP(branch.code)) {
    case BPF_JEQ:
        return accumulator == branch.k;
    case BPF_JGT:
        return accumulator > branch.k;
    case BPF_JGE:
        return accumulator >= branch.k;
    case BPF_JSET:
        return (accumulator & branch.k) != 0;
    default:
        throw std::runtime_error("an unknown comparison");
    }
}

} // namespace

std::uint32_t evaluate(std::span<const sock_filter> program, const seccomp_data& data, std::size_t* steps) {
    std::uint32_t accumulator = 0;
    std::size_t executed = 0;
    for (std::size_t at = 0; at < program.size(); ++at) {
        const sock_filter& instruction = program[at];
        ++executed;
        switch (instruction.code) {
        case BPF_LD | BPF_W | BPF_ABS:
            accumulator = word_at(data, instruction.k);
            break;
        case BPF_ALU | BPF_AND | BPF_K:
            accumulator &= instruction.k;
            break;
        case BPF_JMP | BPF_JA:
            at += instruction.k;
            break;
        case BPF_RET | BPF_K:
            if (steps != nullptr) {
                *steps = executed;
            }
            return instruction.k;
        default:
            if (BPF_CLASS(instruction.code) != BPF_JMP) {
                throw std::runtime_error("an unknown instruction");
            }
            at += holds(instruction, accumulator) ? instruction.jt : instruction.jf;
        }
    }
    throw std::runtime_error("the program runs past its end");
}

seccomp_data foreign_call(std::uint32_t audit_architecture, std::uint32_t number,
                          const std::array<std::uint64_t, 6>& arguments) {
    seccomp_data data{};
    data.nr = static_cast<int>(number);
    data.arch = audit_architecture;
    std::ranges::copy(arguments, data.args);
    return data;
}

seccomp_data system_call(std::uint32_t number, const std::array<std::uint64_t, 6>& arguments) {
#if defined(__x86_64__)
    return foreign_call(AUDIT_ARCH_X86_64, number, arguments);
#else
    return foreign_call(AUDIT_ARCH_AARCH64, number, arguments);
#endif
}

} // namespace sandbox::test
