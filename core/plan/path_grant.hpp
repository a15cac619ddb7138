// The narrowest grant for a path that was refused: as an option and as a line of a profile.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/plan/directory_entry.hpp"
#include "core/plan/host.hpp"
#include "core/plan/path_verdict.hpp"

namespace sandbox {

/// The directories of the caller's that have a meaning of their own, each as it is written and with its links followed.
struct CallerPlaces {
    std::string home;               ///< what "~" is in a profile
    std::string real_home;          ///< the same, with every link followed
    std::string cwd;                ///< what "$PWD" is
    std::vector<std::string> homes; ///< $HOME and the passwd entry's
    std::vector<std::string> runtimes;
    std::vector<std::string> own; ///< our profiles and our state
    ListDirectory list;           ///< what a directory holds; without it nothing is known of that
};

[[nodiscard]] CallerPlaces caller_places(const Host& host, ListDirectory list = {});

/// One line of filesystem.read-only or filesystem.read-write.
struct PathGrant {
    bool writable = false;
    bool is_directory = false;
    std::string path; ///< of the host, absolute
    std::string dest; ///< where it stands inside; empty: at its own path

    /// The key of the profile: "read-only" or "read-write", in [filesystem].
    [[nodiscard]] const char* key() const { return writable ? "read-write" : "read-only"; }

    bool operator==(const PathGrant&) const = default;
};

/// The grant as a profile has it, not yet quoted: "~/.gitconfig", "$PWD/build", "/srv/a\:b". Nothing where no profile
/// can hold it: TOML is UTF-8.
[[nodiscard]] std::optional<std::string> profile_word(const PathGrant& grant, const CallerPlaces& places);

/// The grant as an option, to be pasted into a shell: "--ro ~/.gitconfig".
[[nodiscard]] std::string option_words(const PathGrant& grant, const CallerPlaces& places);

/// What to do about a refused path.
struct PathAdvice {
    std::optional<PathGrant> grant; ///< applied literally, it gives CMD what it wanted
    std::string reason;             ///< why there is none: "it is a secret"
    bool is_secret = false;
    /// The grant of a secret: for who knows better. Never learned.
    std::optional<PathGrant> withheld;
};

/// The narrowest grant: the file that was opened, the directory that was listed or looked at, the directory that a name
/// is to be made in. Never the whole home, "/", or what holds one of the two.
/// \param found what the host has at the verdict's host path (Host::look_up): a link may lead to a secret.
[[nodiscard]] PathAdvice advise(const PathVerdict& verdict, PathIntent intent, const PathFact& found,
                                const CallerPlaces& places);

/// Whether who grants the directory for a few of its files may show more than those: it holds a secret, what is named
/// like a key, or a socket, or what it holds is not known.
[[nodiscard]] bool may_hold_secrets(const std::string& directory, const CallerPlaces& places);

/// Why the directory must not be granted as a whole, as the end of "no narrow grant: ..."; empty where it may.
[[nodiscard]] std::string why_too_wide(const std::string& directory, const CallerPlaces& places);

} // namespace sandbox
