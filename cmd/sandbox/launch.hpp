// The story of a run. Reads top to bottom in launch.cpp.
#pragma once

#include "cmd/common/run_options.hpp"
#include "cmd/sandbox/status_pipe.hpp"
#include "cmd/sandbox/supervisor.hpp"
#include "core/plan/plan.hpp"

namespace sandbox {

/// Runs the plan to its end, and records it in `recorder`. `arguments` is main's argv, which pid 1 wipes in its own
/// memory. \throws Error (StepError for a step of the start) when CMD has not run, or was ended because it could no
/// longer be watched; nothing is left behind then.
[[nodiscard]] Outcome launch(const Plan& plan, const RunOptions& options, const StatusPipe& status, Recorder& recorder,
                             char** arguments);

} // namespace sandbox
