// Profile -> TOML: for `sandboxctl profile show`.
#pragma once

#include <string>
#include <string_view>

#include "core/plan/profile.hpp"

namespace sandbox {

/// UTF-8 as a TOML basic string, with its quotes. Control characters, and what reorders text, are written as \u....
[[nodiscard]] std::string toml_string(std::string_view text);

/// A profile that stands alone and, read again, says the same as `profile`. A comment behind each value names its
/// origin and what it overrode.
[[nodiscard]] std::string profile_to_toml(const Profile& profile);

/// The same for programs: tables and keys as in the file, each value with its origin and what it overrode.
[[nodiscard]] std::string profile_to_json(const Profile& profile);

} // namespace sandbox
