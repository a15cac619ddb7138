// What a profile says and a later layer has overridden: for --dry-run and `sandboxctl profile show`.
#pragma once

#include <string>
#include <vector>

#include "core/plan/profile.hpp"

namespace sandbox {

/// A written value that does not count.
struct Override {
    std::string key; ///< "filesystem.read-only", "environment.set.LANG"
    std::string value;
    Origin origin; ///< where the value was written
    Origin by;     ///< where the value was written that counts in its place
};

/// In the order of the profile's keys; within a key, oldest first.
[[nodiscard]] std::vector<Override> overridden_values(const Profile& profile);

} // namespace sandbox
