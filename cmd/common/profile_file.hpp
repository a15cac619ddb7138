// Finding and loading profiles: the search path, `extends`, and the files themselves.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/plan/profile.hpp"

namespace sandbox {

/// Where profiles are looked for by name. The current directory is never among them: a repository that is about to be
/// distrusted must not loosen its own cage.
struct ProfileSearch {
    std::vector<std::string> directories; ///< absolute, the one that wins first
};

/// The user's directory, the machine's, the installed profiles.
/// \param config_dir Host's: $XDG_CONFIG_HOME/sandbox; empty where the user has none.
[[nodiscard]] ProfileSearch profile_search(const std::string& config_dir);

/// The installed profiles alone, whatever the user has of the same names.
[[nodiscard]] ProfileSearch built_in_search();

/// The installed profiles: beside the program `executable` (PREFIX/share/sandbox/profiles, or the tree's own where the
/// program stands in its build directory), else where the build was configured to install them.
/// \param executable absolute path; empty where it is not known.
[[nodiscard]] std::string built_in_profiles(const std::string& executable);

/// One profile that the search path holds.
struct FoundProfile {
    std::string name;
    std::string path;
    bool shadowed = false; ///< an earlier directory has one of the same name
};

/// Every profile of the search path, by name, the one that wins before those that it shadows.
[[nodiscard]] std::vector<FoundProfile> list_profiles(const ProfileSearch& search);

/// Whether `word` is a path and not a name: it holds a '/' or ends in .toml.
[[nodiscard]] bool is_profile_path(std::string_view word);

/// The whole text of a profile's file.
/// \throws Error for what is no regular file, is larger than 1 MiB, or cannot be read.
[[nodiscard]] std::string read_profile_file(const std::string& path);

/// Reads a profile and all that it extends, merged. A profile that extends its own name starts from the next one of
/// that name in the search path, so that a user's `strict` can build on the installed `strict`.
/// \param name_or_path a name of the search path, or a path where is_profile_path says so.
/// \throws Error where it is not found or says something wrong, or where profiles extend each other in a circle.
[[nodiscard]] Profile load_profile(const std::string& name_or_path, const ProfileSearch& search);

/// Gives `profile` the [seccomp] table that `options` names with --seccomp, in place of its own.
/// Call it before the two are merged.
void replace_seccomp(Profile& profile, const Profile& options, const ProfileSearch& search);

} // namespace sandbox
