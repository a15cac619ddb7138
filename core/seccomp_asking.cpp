// Filters that ask about more than what they refuse: --explain and --permissive.
#include <linux/seccomp.h>

#include <algorithm>
#include <cerrno>
#include <optional>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "core/base/error.hpp"
#include "core/seccomp.hpp"
#include "core/seccomp_architecture.hpp"
#include "core/seccomp_code.hpp"

namespace sandbox::seccomp {

namespace {

/// Asks about the numbers (ascending), which are of `architecture`; all others run past its end.
Code asks_about(const Architecture& architecture, const std::vector<std::uint32_t>& numbers) {
    std::vector<DecidedRange> ranges = {{.first = 0, .answer = {}}};
    for (const std::uint32_t number : numbers) {
        if (ranges.back().first == number) {
            ranges.pop_back(); // right behind the last one
        }
        ranges.push_back({.first = number, .answer = SECCOMP_RET_USER_NOTIF});
        ranges.push_back({.first = number + 1, .answer = {}});
    }
    Code code;
    append_numbers(code, ranges);
    return guarded(architecture, code);
}

/// The errno that a filter answers with SECCOMP_RET_* `decision`, 0 where it kills; nothing where it lets the call
/// pass, or answers ENOSYS, which libc tries on purpose.
std::optional<int> refusal_of(std::uint32_t decision) {
    switch (decision & SECCOMP_RET_ACTION_FULL) {
    case SECCOMP_RET_ALLOW:
    case SECCOMP_RET_LOG:
        return std::nullopt;
    case SECCOMP_RET_ERRNO:
        return decision == (SECCOMP_RET_ERRNO | ENOSYS) ? std::nullopt
                                                        : std::optional(static_cast<int>(decision & SECCOMP_RET_DATA));
    default:
        return 0;
    }
}

} // namespace

Filter asking_about(Filter filter, const SeccompPlan& plan, std::span<const std::uint32_t> numbers) {
    const Architecture& native = *find_architecture(plan.architectures.front());
    const auto is_tested = [&](std::uint32_t number) {
        return std::ranges::any_of(plan.entries, [&](const SeccompEntry& entry) {
            return entry.syscall.number == static_cast<int>(number) && !entry.tests.empty();
        });
    };
    std::vector<std::uint32_t> asked;
    for (const std::uint32_t number : numbers) {
        const seccomp_data call{
            .nr = static_cast<int>(number), .arch = native.audit, .instruction_pointer = 0, .args = {0, 0, 0, 0, 0, 0}};
        const bool passes = filter.plain.empty() || evaluate(filter.plain, call) == SECCOMP_RET_ALLOW;
        if (passes && !is_tested(number)) {
            asked.push_back(number);
        }
    }
    Code code = asks_about(native, asked);
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
    return program_.empty() ? std::nullopt : refusal_of(evaluate(program_, call));
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
        instruction.k = refusal_of(instruction.k) ? SECCOMP_RET_USER_NOTIF : SECCOMP_RET_ALLOW;
    }
    filter = asking_about(std::move(filter), plan, numbers);
    filter.trial = Trial(std::move(tried));
    return filter;
}

} // namespace sandbox::seccomp
