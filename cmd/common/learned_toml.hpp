// The delta that `sandboxctl learn` writes: a profile that a person reads, and that learn reads again for --merge.
//
// The counts stand in comments of a fixed form, since a profile has no key for them:
//     # runs: 3
//         "~/.gitconfig",  # git, sh: 12 times, seen in 2 of 3 runs
//         { syscalls = ["socket"], action = "allow" },  # python3: once, seen in 1 of 3 runs
//     # not granted: ~/.cache/pip  # REASON  # pip: once, seen in 1 of 3 runs
//     # secret: ~/.ssh/id_ed25519  # REASON  # ssh: 2 times, seen in 3 of 3 runs
//     # secret: ~/.aws  # REASON  # seen in 1 of 3 runs
// A line without such a comment was written by a person, and stays.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "core/plan/host.hpp"
#include "core/plan/learned.hpp"

namespace sandbox {

struct LearnedFile {
    std::string base;        ///< what it extends: a name, or a path from the file's own directory
    std::string description; ///< a sentence; empty: none
    Learned learned;
};

/// The file's text. Its profile is `base` and the lines, and nothing of the remarks.
[[nodiscard]] std::string learned_to_toml(const LearnedFile& file);

/// Reads such a file again.
/// \param source its name for messages.
/// \throws Error where it is no profile, was not written by learn, or says more than learn writes: that would be lost.
[[nodiscard]] LearnedFile read_learned(std::string_view text, const std::string& source, const Host& host);

/// One grant as a line of a profile: `filesystem.read-only = { add = ["~/.gitconfig"] }`. Nothing where no profile can
/// hold it.
[[nodiscard]] std::optional<std::string> profile_line(const PathGrant& grant, const CallerPlaces& places);

} // namespace sandbox
