// What a Plan says of a path that CMD named: the oracle of --explain and of `sandboxctl learn`.
//
// Pure: the Plan predicts what a call will find. Whether the same name is there for the user on the host is the
// caller's to ask (HostCheck); only then was something refused because of the profile.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "core/plan/plan.hpp"

namespace sandbox {

/// What a call wants of the path it names.
enum class PathIntent : std::uint8_t {
    look,    ///< that it is there, and its inode: stat(2), access(2), readlink(2), chdir(2)
    read,    ///< what a file holds
    write,   ///< to change a file that is there
    create,  ///< to make the name, to remove it, or to put another file in its place. The caller leaves out what
             ///< fails everywhere: mkdir(2) of a name that is there, unlink(2) of one that is not
    execute, ///< execve(2)
    list,    ///< the names in a directory
};

/// "read", "create": as a report has it.
[[nodiscard]] const char* word(PathIntent intent);
/// The intent of such a word; nothing for other words.
[[nodiscard]] std::optional<PathIntent> find_intent(std::string_view word);

/// One call of CMD's.
struct PathCall {
    std::string path; ///< absolute, as seen inside
    PathIntent intent = PathIntent::look;
    bool follows_last_link = true; ///< false for lstat(2), readlink(2), unlink(2), O_NOFOLLOW ...
    /// PathIntent::create in a private place: whether what it needs is there, the directory of a new name or the name
    /// that is to be removed. Not given: a directory is where the Plan itself makes one.
    std::optional<bool> finds_needed = {};
};

/// What stands at a path inside.
enum class PathStanding : std::uint8_t {
    read_write,    ///< granted, or under a private layer
    read_only,     ///< granted read-only, or a file of ours
    covered,       ///< filesystem.hide, filesystem.masked, or a protection of ours
    absent,        ///< no place of the tree shows it
    private_place, ///< in a private directory: empty at the start, and gone at the end with what is written
    skeleton,      ///< a directory of ours that leads to what is granted
    kernel,        ///< /proc, /sys, devices: what the kernel answers there is its own
};

/// What the Plan makes of the call.
enum class PathEffect : std::uint8_t {
    works,   ///< whatever error CMD gets is not the profile's doing
    refused, ///< CMD does not get what the host has
    lost,    ///< it works, and what is written is gone at the end
};

/// What the host must answer the user (faccessat(2) with AT_EACCESS), or the Plan changed nothing for CMD.
struct HostCheck {
    enum class Need : std::uint8_t { exists, read, write, execute };

    std::string path; ///< of the host; for PathIntent::create the directory in which the name would be
    Need need = Need::exists;

    bool operator==(const HostCheck&) const = default;
};

struct PathVerdict {
    PathStanding standing = PathStanding::absent;
    PathEffect effect = PathEffect::works;
    std::string inside;    ///< the path with the links followed that are known to stand inside
    std::string host_path; ///< what it would be on the host; empty where it is a file of an image
    std::string place;     ///< where what decided stands inside; empty: nothing of the tree is there
    bool in_tree = false;  ///< the root is an image or a directory of its own, and no grant of the host is around
    std::optional<Origin> decided_by; ///< the line that decided; nothing where no line speaks of the path
    std::optional<HostCheck> check;   ///< only with `refused` and `lost`; nothing there: the host need not be asked
};

/// The target of a symbolic link of the host; nothing where `path` (absolute, of the host) is none.
using ReadHostLink = std::function<std::optional<std::string>(const std::string& path)>;

class PathOracle {
public:
    /// \param plan must outlive the oracle.
    /// \param read_link for the links in granted trees; without it only those of the Plan's own skeleton are followed.
    explicit PathOracle(const RootPlan& plan, ReadHostLink read_link = {});

    /// \return nothing where the kernel refuses the path by itself: not absolute, a NUL byte, longer than PATH_MAX,
    /// more than 40 links.
    [[nodiscard]] std::optional<PathVerdict> judge(const PathCall& call) const;

    /// Whether the Plan itself has a directory at `inside`, of those that are in the way of a private place.
    [[nodiscard]] bool makes_directory(const std::string& inside) const;

private:
    using Entries = std::map<std::string_view, const RootEntry*>;

    [[nodiscard]] std::optional<std::string> resolve(const PathCall& call) const;
    [[nodiscard]] std::optional<std::string> link_at(const std::string& path) const;
    [[nodiscard]] const RootEntry* around(std::string_view path) const;
    [[nodiscard]] std::string shown_at(const std::string& path, const RootEntry* owner) const;
    [[nodiscard]] bool is_in_tree(const RootEntry* owner) const;
    [[nodiscard]] std::string hidden_at(const std::string& path, const RootEntry& owner) const;
    void judge_owned(PathVerdict& verdict, const RootEntry& owner) const;
    void judge_unowned(PathVerdict& verdict) const;

    const RootPlan& plan_;
    ReadHostLink read_link_;
    Entries places_;   ///< what decides about itself and all that lies below
    Entries links_;    ///< the skeleton's own
    Entries skeleton_; ///< its directories
};

} // namespace sandbox
