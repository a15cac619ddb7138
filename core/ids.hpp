// The uid and gid maps of the new user namespace: user_namespaces(7), newuidmap(1), newgidmap(1).
#pragma once

#include <sys/types.h>

#include <optional>

#include "core/base/child_process.hpp"
#include "core/plan/plan.hpp"

namespace sandbox::ids {

/// Writes both maps of a child, which is in a user namespace without maps and is still dumpable (newuidmap checks who
/// owns /proc/PID).
class MapWriting {
public:
    /// Starts the helpers that the plan names, and waits for nothing. `plan` must outlive it. \throws Error
    MapWriting(pid_t child, const IdsPlan& plan);

    /// Afterwards the child's ids mean what the plan says.
    /// \throws StepError naming the map and what the helper said.
    void finish();

private:
    pid_t child_;
    const IdsPlan& plan_;
    std::optional<Helper> uid_helper_;
    std::optional<Helper> gid_helper_;
};

} // namespace sandbox::ids
