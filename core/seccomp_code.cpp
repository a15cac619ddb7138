#include "core/seccomp_code.hpp"

#include <linux/seccomp.h>

#include <bit>
#include <cerrno>
#include <cstddef>

namespace sandbox::seccomp {

namespace {

static_assert(std::endian::native == std::endian::little, "the low half of an argument comes first");

constexpr std::uint32_t kNumber = offsetof(seccomp_data, nr);
constexpr std::uint32_t kArchitecture = offsetof(seccomp_data, arch);
constexpr std::uint32_t kSkippedByTracer = 0xffffffff;
constexpr std::uint32_t kWholeArgument = 0xffffffff;
constexpr std::size_t kReach = 255;               ///< of a conditional jump
constexpr std::uint32_t kToTheTests = 0xffffffff; ///< a jump whose length is known when the tree is whole

std::uint32_t low_half(unsigned argument) {
    return static_cast<std::uint32_t>(offsetof(seccomp_data, args) + sizeof(std::uint64_t) * argument);
}

void append_load(Code& code, std::uint32_t offset) {
    code.push_back(BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offset));
}

/// Jumps over `if_true` or `if_false` instructions, kReach at most: longer jumps go through jump().
void branch(Code& code, unsigned comparison, std::uint32_t value, std::size_t if_true, std::size_t if_false) {
    code.push_back({.code = static_cast<std::uint16_t>(BPF_JMP | comparison | BPF_K),
                    .jt = static_cast<std::uint8_t>(if_true),
                    .jf = static_cast<std::uint8_t>(if_false),
                    .k = value});
}

void jump(Code& code, std::size_t over) {
    code.push_back(BPF_STMT(BPF_JMP | BPF_JA, static_cast<std::uint32_t>(over)));
}

/// The entry's tests and its answer; a test that fails runs past its end.
Code code_of(const SeccompEntry& entry) {
    // From the last test backwards, so that each knows how much stands behind it.
    Code code;
    append_return(code, return_value(entry.action));
    for (auto test = entry.tests.rbegin(); test != entry.tests.rend(); ++test) {
        Code longer;
        append_load(longer, low_half(test->argument));
        const auto mask = static_cast<std::uint32_t>(test->mask);
        if (mask != kWholeArgument) {
            longer.push_back(BPF_STMT(BPF_ALU | BPF_AND | BPF_K, mask));
        }
        branch(longer, BPF_JEQ, static_cast<std::uint32_t>(test->value), 0, code.size());
        append(longer, code);
        code = std::move(longer);
    }
    return code;
}

/// A search by halves.
Code tree_over(std::span<const DecidedRange> ranges) {
    Code code;
    if (ranges.size() == 1) {
        if (const auto answer = ranges[0].answer) {
            append_return(code, *answer);
        } else {
            jump(code, kToTheTests);
        }
        return code;
    }
    const std::size_t half = ranges.size() / 2;
    const Code lower = tree_over(ranges.first(half));
    if (lower.size() <= kReach) {
        branch(code, BPF_JGE, ranges[half].first, lower.size(), 0);
    } else {
        branch(code, BPF_JGE, ranges[half].first, 0, 1);
        jump(code, lower.size());
    }
    append(code, lower);
    append(code, tree_over(ranges.subspan(half)));
    return code;
}

} // namespace

bool is_reported(const SeccompAction& action) {
    return action.kind == SeccompActionKind::errno_value && action.error_number != ENOSYS && !action.quiet;
}

std::uint32_t return_value(const SeccompAction& action) {
    switch (action.kind) {
    case SeccompActionKind::allow:
        return SECCOMP_RET_ALLOW;
    case SeccompActionKind::log:
        return SECCOMP_RET_LOG;
    case SeccompActionKind::errno_value:
        return SECCOMP_RET_ERRNO | (static_cast<std::uint32_t>(action.error_number) & SECCOMP_RET_DATA) |
               (is_reported(action) ? kToBeReported : 0);
    case SeccompActionKind::kill:
        return SECCOMP_RET_KILL_PROCESS;
    }
    return SECCOMP_RET_KILL_PROCESS;
}

void append(Code& code, const Code& more) {
    code.insert(code.end(), more.begin(), more.end());
}

void append_return(Code& code, std::uint32_t value) {
    code.push_back(BPF_STMT(BPF_RET | BPF_K, value));
}

void append_numbers(Code& code, std::span<const DecidedRange> ranges) {
    append_load(code, kNumber);
    Code tree = tree_over(ranges);
    for (std::size_t i = 0; i < tree.size(); ++i) {
        if (tree[i].code == (BPF_JMP | BPF_JA) && tree[i].k == kToTheTests) {
            tree[i].k = static_cast<std::uint32_t>(tree.size() - i - 1);
        }
    }
    append(code, tree);
}

void append_numbered_calls(Code& code, const Architecture& architecture, const std::vector<NumberedCall>& calls,
                           const SeccompAction& otherwise) {
    if (calls.empty()) {
        return;
    }
    Code decisions;
    for (const NumberedCall& call : calls) {
        Code decision;
        for (const SeccompEntry* entry : call.entries) {
            append(decision, code_of(*entry));
        }
        append_return(decision, return_value(otherwise));
        branch(decisions, BPF_JEQ, architecture.base + call.number, 1, 0);
        jump(decisions, decision.size());
        append(decisions, decision);
    }
    append_load(code, kNumber);
    append(code, decisions);
}

Code guarded(const Architecture& architecture, const Code& body) {
    Code guard;
    append_load(guard, kArchitecture);
    branch(guard, BPF_JEQ, architecture.audit, 1, 0);
    jump(guard, 0);
    switch (architecture.space) {
    case NumberSpace::whole:
        break;
    case NumberSpace::below_x32:
        append_load(guard, kNumber);
        branch(guard, BPF_JGE, kX32Bit, 0, 2);
        branch(guard, BPF_JEQ, kSkippedByTracer, 1, 0);
        jump(guard, 0);
        break;
    case NumberSpace::x32:
        append_load(guard, kNumber);
        branch(guard, BPF_JGE, kX32Bit, 1, 0);
        jump(guard, 0);
        break;
    }
    Code code = guard;
    append(code, body);
    for (std::size_t i = 0; i < guard.size(); ++i) {
        if (code[i].code == (BPF_JMP | BPF_JA)) {
            code[i].k = static_cast<std::uint32_t>(code.size() - i - 1);
        }
    }
    return code;
}

Code allowed_runs_on(Code program) {
    for (std::size_t i = 0; i < program.size(); ++i) {
        if (program[i].code == (BPF_RET | BPF_K) && program[i].k == SECCOMP_RET_ALLOW) {
            program[i] = BPF_STMT(BPF_JMP | BPF_JA, static_cast<std::uint32_t>(program.size() - i - 1));
        }
    }
    return program;
}

} // namespace sandbox::seccomp
