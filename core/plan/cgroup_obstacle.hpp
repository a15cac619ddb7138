// What keeps the caller from cgroups, or from one of their controllers; and what becomes of the limits then.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/plan/host.hpp"
#include "core/plan/plan.hpp"

namespace sandbox {

/// Why limits cannot be had, and what to do about it.
struct CgroupObstacle {
    std::string cause;
    std::string fix;
};

/// What keeps the caller from every cgroup; nothing where there is a place to try.
[[nodiscard]] std::optional<CgroupObstacle> find_obstacle(const CgroupFacts& facts, const Host& host);

/// The words of `wanted` that `available`, a line of cgroup.controllers, lacks; each once.
[[nodiscard]] std::vector<std::string> missing_controllers(const std::vector<std::string>& wanted,
                                                           std::string_view available);
/// The obstacle that they are missing.
[[nodiscard]] CgroupObstacle not_delegated(const std::vector<std::string>& controllers);

/// Takes out of `limits` those whose controllers `available` lacks, with a notice. \throws Error where one of them is
/// required.
void leave_out_undelegated(std::vector<CgroupLimit>& limits, std::string_view available,
                           std::vector<std::string>& notices);

/// The notice about limits that are off because of `obstacle`: one line.
[[nodiscard]] std::string off_notice(const std::vector<CgroupLimit>& limits, const CgroupObstacle& obstacle);

/// \throws Error where one of `limits`, which cannot be had because of `obstacle`, is required.
void refuse_required(const std::vector<CgroupLimit>& limits, const CgroupObstacle& obstacle);

} // namespace sandbox
