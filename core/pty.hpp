// The sandbox's own terminal, the child's side: pty(7). Plain code, for between clone and exec.
#pragma once

#include <optional>

#include "core/base/fd.hpp"
#include "core/base/step.hpp"
#include "core/plan/plan.hpp"
#include "core/terminal.hpp"

namespace sandbox::pty {

/// Opens a pty of the sandbox's own /dev/pts, in the state `like`, sends its master over `control` and
/// returns the other end. Before: the new root is entered and the ids are final. Leaves through `failure`.
[[nodiscard]] Fd open_own(const std::optional<terminal::State>& like, int control, const StepReporter& failure);

/// Makes `terminal` the controlling terminal of this session, and CMD's input and output; standard error too, unless it
/// was redirected by a caller who has a terminal. \return 0, or -1 and errno.
[[nodiscard]] int take_control(const Fd& terminal);

/// Makes `terminal` the controlling terminal of this session, and puts it in the place of those of standard output and
/// error that are the caller's terminal. \return one of the two, or -1 and errno.
[[nodiscard]] int take_outputs(const Fd& terminal);

/// All of that, as `process` wants it. Before: as for `open_own`.
/// \return the standard descriptor that the terminal is now, -1 where none is wanted.
[[nodiscard]] int take_own(const ProcessPlan& process, const std::optional<terminal::State>& like, int control,
                           const StepReporter& failure);

} // namespace sandbox::pty
