// The end of a running sandbox, asked for or forced. Every signal goes by a pidfd: a number can be another's by now.
#pragma once

#include <chrono>
#include <string>

#include "core/base/fd.hpp"
#include "core/run_registry.hpp"

namespace sandbox::ctl {

class Ending {
public:
    using Clock = std::chrono::steady_clock;

    /// \throws Error where its supervisor cannot be seen.
    Ending(std::string registry, FoundRun run);

    [[nodiscard]] const FoundRun& run() const { return run_; }

    /// Has the supervisor hand `signal` to CMD; before CMD's start TERM and the like end the run.
    void pass_on(int signal) const;
    /// A stopped process cannot take its leave.
    void let_continue() const;
    /// The whole tree at once: by its cgroup, else by pid 1, which takes all others of its namespace along; one that is
    /// still being started by its supervisor.
    void kill_tree() const;
    /// The supervisor itself; its pid 1 sees that, and ends.
    void kill_supervisor() const;

    /// \return whether the supervisor has ended by then.
    [[nodiscard]] bool wait_until(Clock::time_point deadline) const;
    /// Waits for its end, and comes back when nothing of it is left, not even the entry.
    void wait_for_rest() const;

private:
    std::string registry_;
    FoundRun run_;
    Fd supervisor_;
};

} // namespace sandbox::ctl
