// Profile -> TOML: for `sandboxctl profile show`.
#pragma once

#include <string>

#include "core/plan/profile.hpp"

namespace sandbox {

/// A profile that stands alone and, read again, says the same as `profile`. A comment behind each value names its
/// origin and what it overrode.
[[nodiscard]] std::string profile_to_toml(const Profile& profile);

/// The same for programs: tables and keys as in the file, each value with its origin and what it overrode.
[[nodiscard]] std::string profile_to_json(const Profile& profile);

} // namespace sandbox
