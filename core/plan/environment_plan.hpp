// What CMD's environment holds: an allow-list. environ(7)
#pragma once

#include <string>
#include <vector>

#include "core/plan/layers.hpp"
#include "core/plan/plan.hpp"

namespace sandbox {

/// \throws Error where no program could read a variable of this name, or `value` holds a NUL byte.
void check_variable(const std::string& name, const std::string& value, const Origin& origin);

/// Sorted by name. HOME, PWD and PATH are always there; USER and LOGNAME are unless the environment was cleared.
/// \throws Error as check_variable.
[[nodiscard]] std::vector<EnvironmentEntry> plan_environment(const Profile::Environment& environment, const Host& host,
                                                             const std::string& workdir, const Layers& layers,
                                                             std::vector<std::string>& notices);

} // namespace sandbox
