// Paths as people write them in profiles and options: "~/src", "$HOME/x", "PATH:DEST".
#pragma once

#include <string>

#include "core/plan/host.hpp"
#include "core/plan/origin.hpp"

namespace sandbox {

/// A written path made absolute.
struct PathWord {
    std::string path;            ///< absolute, normal but for ".."
    bool follows_caller = false; ///< written with $PWD or relative: it names another place in every directory
    bool is_home_itself = false; ///< written as "~" or "$HOME"
};

/// PATH[:DEST].
struct GrantWord {
    PathWord source;
    std::string dest; ///< absolute; empty where none was written
};

/// In a profile ~, $HOME, $PWD, $USER and $XDG_RUNTIME_DIR are expanded; an option's words are taken as the shell left
/// them. `\` takes the meaning from $, : and itself.
/// A relative path starts at the caller's directory.
/// \throws Error for an unknown variable, an empty path, a NUL byte, or where the caller's directory has no name.
[[nodiscard]] PathWord read_path(const Item& item, const Host& host);

/// As `read_path`, for PATH[:DEST]. \throws Error for a second colon, or a DEST that is not absolute.
[[nodiscard]] GrantWord read_grant(const Item& item, const Host& host);

/// Whether the word holds one of the characters of glob(7).
[[nodiscard]] bool is_pattern(const std::string& text);

/// `path` as a pattern that matches it alone.
[[nodiscard]] std::string protect_from_glob(const std::string& path);

/// As `read_path`, but what a variable holds is protected from glob(3).
[[nodiscard]] std::string read_pattern(const Item& item, const Host& host);

} // namespace sandbox
