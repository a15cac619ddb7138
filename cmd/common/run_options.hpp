// How a run behaves towards its caller: what is no part of the sandbox itself, and so no part of a profile.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>

#include "cmd/common/trace.hpp"
#include "core/plan/plan.hpp"

namespace sandbox {

/// --stats: how what the sandbox used is told at its end.
enum class StatsFormat { none, text, json };

/// --report, --report-json: whether and where the end of a run tells what was refused.
struct ReportOptions {
    /// automatic: to a terminal, and where CMD failed.
    enum class When { automatic, always, never };

    When when = When::automatic;
    std::optional<std::string> json;                   ///< a descriptor's number, or a path
    std::array<bool, 3> was_open = {true, true, true}; ///< the standard streams, before /dev/null stood in for them
};

struct RunOptions {
    StatsFormat stats = StatsFormat::none;
    bool quiet = false;                    ///< no notes; errors are always told
    bool verbose = false;                  ///< the child's steps are timed too
    std::optional<std::uint64_t> log_size; ///< of a detached run: the most that its log takes, in bytes
    bool explain = false;                  ///< watch which files CMD asks for
    /// --permissive: the plan that CMD does not run under, and that says what would be refused; null: its own plan
    /// does.
    const Plan* tried = nullptr;
    ReportOptions report;
    Trace& trace; ///< the steps so far; printed at the end of a verbose run
};

} // namespace sandbox
