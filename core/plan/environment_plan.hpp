// What CMD's environment holds: an allow-list. environ(7)
#pragma once

#include <string>
#include <vector>

#include "core/plan/layers.hpp"
#include "core/plan/plan.hpp"

namespace sandbox {

/// Sorted by name. HOME, PWD and PATH are always there; USER and LOGNAME are unless the environment was cleared.
/// \throws Error for a name that no program could read, or a value with a NUL byte.
[[nodiscard]] std::vector<EnvironmentEntry> plan_environment(const Profile::Environment& environment, const Host& host,
                                                             const std::string& workdir, const Layers& layers,
                                                             std::vector<std::string>& notices);

} // namespace sandbox
