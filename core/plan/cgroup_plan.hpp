// The limits of the whole sandbox, which its cgroup holds: [limits] memory, swap, pids, cpus, cpu-weight and io.
#pragma once

#include <string>
#include <vector>

#include "core/plan/host.hpp"
#include "core/plan/plan.hpp"
#include "core/plan/profile.hpp"

namespace sandbox {

/// Whether the profile limits the sandbox as a whole.
[[nodiscard]] bool limits_the_sandbox(const Profile::Limits& limits);

/// \param stats a cgroup is wanted without limits too, for what it counts.
/// \throws Error naming the place for nonsense, and for a required limit that this machine cannot hold. What is not
/// required and cannot be held is left out, with a notice.
[[nodiscard]] CgroupPlan plan_cgroup(const Profile::Limits& limits, bool stats, const Host& host,
                                     std::vector<std::string>& notices);

} // namespace sandbox
