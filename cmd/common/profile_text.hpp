// TOML -> Profile: the words of one file, each with its place. Nothing is looked up and nothing is resolved here.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/error.hpp"
#include "core/plan/profile.hpp"

namespace sandbox {

/// What one file says.
struct ProfileText {
    Profile profile;
    std::optional<Item> extends; ///< the profile that it starts from, as written
};

/// Reads one profile. The format is sandbox-profile(5).
/// \param source the file's name for messages and origins.
/// \throws Error for the first mistake: "strict.toml:14:9: unknown key 'foo' in [filesystem]".
[[nodiscard]] ProfileText parse_profile(std::string_view text, const std::string& source);

/// As parse_profile, but goes on after a mistake and collects all of them, in the order of the file.
[[nodiscard]] ProfileText parse_profile(std::string_view text, const std::string& source, std::vector<Error>& mistakes);

} // namespace sandbox
