#include "core/seccomp_marks.hpp"

#include <linux/seccomp.h>

#include <algorithm>
#include <utility>

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

} // namespace sandbox::seccomp
