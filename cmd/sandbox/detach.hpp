// --detach: the supervisor goes on without a terminal, in a session of its own, while its caller hears how it started.
#pragma once

#include <optional>

#include "core/base/fd.hpp"
#include "core/plan/plan.hpp"

namespace sandbox {

/// What this process is from here on.
struct Detached {
    std::optional<int> status; ///< the caller's side: what it exits with, for all is told
    Fd starter;                ///< the supervisor's side: whom to tell how it started, for StatusPipe
};

/// Forks. The child is the supervisor: its input and outputs are /dev/null, no descriptor of the caller's is open but
/// `status_file`, and the current directory is "/". The caller's side prints the name of the run once CMD has been
/// executed; a signal that would end it ends the start.
/// Where the start failed, it prints the supervisor's error. \throws Error where the supervisor was killed.
[[nodiscard]] Detached detach(const Plan& plan, const Fd& status_file);

} // namespace sandbox
