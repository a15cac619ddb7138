// The host's files as Host answers for them. Part of gather_host: system calls are made here.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "core/plan/directory_entry.hpp"
#include "core/plan/host.hpp"

namespace sandbox::host {

/// Looks paths up, and asks the kernel once about each directory on the way.
class Walker {
public:
    /// Walks `path` (absolute) a name at a time and keeps the links. Triggers no automount at the last name.
    [[nodiscard]] PathFact look_up(const std::string& path);

private:
    std::unordered_map<std::string, FileIdentity> directories_; ///< by resolved path
};

/// What the symbolic link `path` holds; nothing where it is none: readlink(2).
[[nodiscard]] std::optional<std::string> read_link(const std::string& path);

/// glob(3), sorted.
[[nodiscard]] std::vector<std::string> expand_glob(const std::string& pattern);

/// readdir(3), without "." and "..". \return nothing where it fails, or for more than kMostEntries.
[[nodiscard]] std::optional<std::vector<DirectoryEntry>> list_directory(const std::string& path);
constexpr std::size_t kMostEntries = 4096;

/// What is mounted below the real path `path`: proc_pid_mountinfo(5).
[[nodiscard]] std::vector<std::string> mounts_below(const std::string& path);

/// fuse-overlayfs and /dev/fuse.
[[nodiscard]] OverlayFacts look_at_overlays();

/// access(2) with W_OK.
[[nodiscard]] bool may_write(const std::string& path);

/// The absolute path of a program that we execute; empty where it is not installed.
[[nodiscard]] std::string find_helper(const char* name);

/// The system's names at the top of the file system that this machine has.
[[nodiscard]] std::vector<SystemEntry> system_entries();

} // namespace sandbox::host
