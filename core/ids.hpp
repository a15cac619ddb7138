// The uid and gid maps of the new user namespace: user_namespaces(7), newuidmap(1), newgidmap(1).
#pragma once

#include <sys/types.h>

#include "core/plan/plan.hpp"

namespace sandbox::ids {

/// Writes both maps of `child`, which is in a user namespace without maps and is still dumpable (newuidmap checks who
/// owns /proc/PID). Afterwards the child's ids mean what the plan says.
/// \throws StepError naming the map and what the helper said.
void write_maps(pid_t child, const IdsPlan& plan);

} // namespace sandbox::ids
