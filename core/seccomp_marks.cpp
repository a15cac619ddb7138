#include "core/seccomp_marks.hpp"

#include <linux/seccomp.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "core/base/error.hpp"
#include "core/seccomp_architecture.hpp"
#include "core/seccomp_code.hpp"

namespace sandbox::seccomp {

namespace {

bool is_marked(const sock_filter& instruction) {
    return instruction.code == (BPF_RET | BPF_K) && (instruction.k & SECCOMP_RET_ACTION_FULL) == SECCOMP_RET_ERRNO &&
           (instruction.k & kToBeReported) != 0;
}

/// Its calls are tested by arguments, and where no test holds the default decides, which is reported.
bool tests_the_start(const SeccompPlan& plan) {
    return std::ranges::any_of(plan.entries, [](const SeccompEntry& entry) {
        return !entry.tests.empty() &&
               std::ranges::find(kCallsOfTheStart, entry.syscall.name) != kCallsOfTheStart.end();
    });
}

} // namespace

Filter split(Program marked, const SeccompPlan& plan) {
    Filter filter;
    if (std::ranges::any_of(marked.instructions, is_marked) && !tests_the_start(plan)) {
        filter.reporting = marked;
    }
    for (sock_filter& instruction : filter.reporting.instructions) {
        if (is_marked(instruction)) {
            instruction.k = SECCOMP_RET_USER_NOTIF;
        }
    }
    for (sock_filter& instruction : marked.instructions) {
        if (is_marked(instruction)) {
            instruction.k &= ~kToBeReported;
        }
    }
    filter.plain = std::move(marked);
    return filter;
}

Filter asking_about(Filter filter, const SeccompPlan& plan, std::span<const std::uint32_t> numbers) {
    std::uint32_t native = 0;
    for (const std::string& name : plan.architectures) {
        native = native == 0 ? find_architecture(name)->audit : native; // the first of them
    }
    const auto is_tested = [&](std::uint32_t number) {
        return std::ranges::any_of(plan.entries, [&](const SeccompEntry& entry) {
            return entry.syscall.number == static_cast<int>(number) && !entry.tests.empty();
        });
    };
    Code asking;
    for (const std::uint32_t number : numbers) {
        const seccomp_data call{
            .nr = static_cast<int>(number), .arch = native, .instruction_pointer = 0, .args = {0, 0, 0, 0, 0, 0}};
        const bool passes = filter.plain.empty() || evaluate(filter.plain, call) == SECCOMP_RET_ALLOW;
        if (passes && !is_tested(number)) {
            asking.push_back(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, number, 0, 1));
            append_return(asking, SECCOMP_RET_USER_NOTIF);
        }
    }
    Code code = {BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, arch)),
                 BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, native, 1, 0),
                 BPF_STMT(BPF_JMP | BPF_JA, static_cast<std::uint32_t>(asking.size() + 1)),
                 BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr))};
    append(code, asking);
    const Program& rest = filter.reporting.empty() ? filter.plain : filter.reporting;
    append(code, rest.instructions);
    if (rest.empty()) {
        append_return(code, SECCOMP_RET_ALLOW);
    }
    if (code.size() > BPF_MAXINSNS) {
        throw Error("cannot watch the files that CMD asks for: the filter gets too long")
            .cause(fmt::format("it has {} instructions, and the kernel takes {}", code.size(), BPF_MAXINSNS));
    }
    filter.reporting.instructions = std::move(code);
    filter.asks_about_allowed = true;
    return filter;
}

std::optional<int> Trial::refusal(const seccomp_data& call) const {
    const std::uint32_t decision = program_.empty() ? SECCOMP_RET_ALLOW : evaluate(program_, call);
    switch (decision & SECCOMP_RET_ACTION_FULL) {
    case SECCOMP_RET_ALLOW:
    case SECCOMP_RET_LOG:
        return std::nullopt;
    case SECCOMP_RET_ERRNO:
        return (decision & SECCOMP_RET_DATA) == ENOSYS ? std::nullopt
                                                       : std::optional(static_cast<int>(decision & SECCOMP_RET_DATA));
    default:
        return 0;
    }
}

Filter on_trial(const Filter& own, Program tried, const SeccompPlan& plan, std::span<const std::uint32_t> numbers) {
    if (!own.plain.empty()) {
        throw Error("cannot let CMD go past what a profile refuses: it has a filter of its own");
    }
    Filter filter;
    filter.reporting = tried;
    for (sock_filter& instruction : filter.reporting.instructions) {
        if (instruction.code != (BPF_RET | BPF_K)) {
            continue;
        }
        const std::uint32_t action = instruction.k & SECCOMP_RET_ACTION_FULL;
        const bool passes =
            action == SECCOMP_RET_ALLOW || action == SECCOMP_RET_LOG || instruction.k == (SECCOMP_RET_ERRNO | ENOSYS);
        instruction.k = passes ? SECCOMP_RET_ALLOW : SECCOMP_RET_USER_NOTIF;
    }
    filter = asking_about(std::move(filter), plan, numbers);
    filter.trial = Trial(std::move(tried));
    return filter;
}

} // namespace sandbox::seccomp
