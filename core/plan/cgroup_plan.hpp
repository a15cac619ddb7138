// The limits of the whole sandbox, which its cgroup holds: [limits] memory, swap, pids, cpus, cpu-weight and io.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/plan/host.hpp"
#include "core/plan/plan.hpp"
#include "core/plan/profile.hpp"

namespace sandbox {

/// Why limits cannot be had, and what to do about it.
struct CgroupObstacle {
    std::string cause;
    std::string fix;
};

/// What keeps the caller from every cgroup; nothing where there is a place to try.
[[nodiscard]] std::optional<CgroupObstacle> find_obstacle(const CgroupFacts& facts, const Host& host);

/// The words of `controllers` that `wanted` asks for and `available`, a line of cgroup.controllers, lacks.
[[nodiscard]] std::vector<std::string> missing_controllers(const std::vector<std::string>& wanted,
                                                           std::string_view available);
/// The obstacle that they are missing.
[[nodiscard]] CgroupObstacle not_delegated(const std::vector<std::string>& controllers);

/// Takes out of `limits` those whose controllers `available` lacks, with a notice. \throws Error where one of them is
/// required.
void leave_out_undelegated(std::vector<CgroupLimit>& limits, std::string_view available,
                           std::vector<std::string>& notices);

/// Whether the profile limits the sandbox as a whole.
[[nodiscard]] bool limits_the_sandbox(const Profile::Limits& limits);

/// \param stats a cgroup is wanted without limits too, for what it counts.
/// \throws Error naming the place for nonsense, and for a required limit that this machine cannot hold. What is not
/// required and cannot be held is left out, with a notice.
[[nodiscard]] CgroupPlan plan_cgroup(const Profile::Limits& limits, bool stats, const Host& host,
                                     std::vector<std::string>& notices);

/// The notice about limits that are off because of `obstacle`: one line.
[[nodiscard]] std::string off_notice(const std::vector<CgroupLimit>& limits, const CgroupObstacle& obstacle);

/// \throws Error where one of `limits`, which cannot be had because of `obstacle`, is required.
void refuse_required(const std::vector<CgroupLimit>& limits, const CgroupObstacle& obstacle);

} // namespace sandbox
