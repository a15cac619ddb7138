// What CMD's environment holds: an allow-list. environ(7)
#pragma once

#include <string>
#include <vector>

#include "core/plan/layers.hpp"
#include "core/plan/plan.hpp"
#include "core/plan/root_choice.hpp"

namespace sandbox {

/// \throws Error where no program could read a variable of this name, or `value` holds a NUL byte.
void check_variable(const std::string& name, const std::string& value, const Origin& origin);

/// Sorted by name. What an image sets counts more than what a profile passes, and less than what one sets. HOME, PWD
/// and PATH are always there; USER and LOGNAME are unless the environment was cleared. \throws Error as check_variable.
[[nodiscard]] std::vector<EnvironmentEntry> plan_environment(const Profile& profile, const Host& host,
                                                             const std::string& workdir, const std::string& hostname,
                                                             const RootChoice& root, const Layers& layers,
                                                             std::vector<std::string>& notices);

/// Whether HOME is for the root's own /etc/passwd to say: nobody else did.
[[nodiscard]] bool takes_home_from_root(const Profile::Environment& environment, const RootChoice& root);

} // namespace sandbox
