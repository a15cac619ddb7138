// The story of `sandboxctl exec`: a process enters a sandbox that runs, takes its restrictions, and starts CMD there.
#pragma once

#include <string>

#include "cmd/common/exec_plan.hpp"
#include "cmd/common/run_record.hpp"
#include "core/base/fd.hpp"
#include "core/seccomp.hpp"

namespace sandbox::ctl {

/// A run, and what proves that it is the recorded one.
struct EnteredRun {
    RunRecord record;
    seccomp::Filter filter; ///< without its reporting form: the listener is the run's own
    Fd supervisor;          ///< a pidfd
};

/// Runs the plan's CMD in the sandbox, and waits for its end. \param arguments main's argv.
/// \return CMD's exit status, as a shell has it. \throws Error
[[nodiscard]] int run_inside(const EnteredRun& run, const ExecPlan& plan, char** arguments);

} // namespace sandbox::ctl
