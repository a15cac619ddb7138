// The machine's cgroups as Host answers for them. Part of gather_host: system calls are made here.
#pragma once

#include <string>
#include <string_view>

#include "core/plan/host.hpp"

namespace sandbox::host {

/// Looks at /sys/fs/cgroup, at the caller's own cgroup in it, and for the bus of his systemd.
[[nodiscard]] CgroupFacts look_at_cgroups(const Host& host);

/// The directory of the cgroup that the text of a /proc/PID/cgroup names: the line "0::/PATH" of cgroups(7). Empty
/// where there is none, and for what lies outside of our cgroup namespace ("/.."), which cannot be seen.
[[nodiscard]] std::string cgroup_directory(std::string_view proc_cgroup);

/// The disk that `path` names (a block device) or lies on, "8:0"; of a partition its whole disk, for io.max takes no
/// other. Empty where it lies on none: tmpfs, overlay, btrfs.
[[nodiscard]] std::string find_disk(const std::string& path);

} // namespace sandbox::host
