// [[seccomp.rule]] of a profile: checked for form; what its words mean is found by core/plan.
#pragma once

#include <vector>

#include "cmd/common/profile_mistakes.hpp"
#include "core/plan/profile.hpp"

namespace sandbox {

/// Reads the array of tables `node`. A rule with a mistake is noted and left out.
[[nodiscard]] std::vector<SeccompRule> read_seccomp_rules(const TomlNode& node, ProfileMistakes& mistakes);

} // namespace sandbox
