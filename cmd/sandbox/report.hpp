// What a run refused: told at its end, to people on standard error, to programs as JSON. Nothing is told that is not
// known: all of it comes from the kernel or from processes of ours outside.
#pragma once

#include <chrono>
#include <string>

#include "cmd/common/run_options.hpp"
#include "cmd/sandbox/outcome.hpp"
#include "cmd/sandbox/refusals.hpp"
#include "core/plan/host.hpp"
#include "core/plan/path_grant.hpp"
#include "core/plan/plan.hpp"

namespace sandbox {

/// What the run's refusals come to. All must outlive it.
class Report {
public:
    /// Takes the names of files out of the outcome: they may be many.
    Report(Outcome& outcome, const Plan& plan, const Host& host)
        : outcome_(outcome), plan_(plan), places_(caller_places(host)),
          refusals_(gather_refusals(outcome, plan, host)) {}

    /// For people; empty where there is nothing to tell.
    /// \param whole what was told before, as the warnings of the start, is told again.
    [[nodiscard]] std::string text(bool whole) const;
    /// For programs: one object, complete, and a newline; its members: sandbox(1), REPORT.
    [[nodiscard]] std::string json(std::chrono::system_clock::time_point start,
                                   std::chrono::system_clock::time_point end) const;

private:
    const Outcome& outcome_;
    const Plan& plan_;
    CallerPlaces places_;
    Refusals refusals_;
};

/// Whether the text is told.
[[nodiscard]] bool is_report_told(const ReportOptions& options, const Outcome& outcome, bool quiet, bool to_terminal);

/// Why the kernel told nothing of refused calls.
[[nodiscard]] std::string blindness(int error_number);

} // namespace sandbox
