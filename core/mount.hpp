// The kernel's descriptor-based mount calls, as this program uses them: open_tree(2), mount_setattr(2), move_mount(2),
// fsopen(2). Plain code, usable between clone and exec; results are the kernel's (-1 and errno).
#pragma once

#include <cstdint>
#include <span>

#include "core/base/fd.hpp"

namespace sandbox::mount {

/// Opens `path` (absolute, its links already resolved) for use as a source. A symbolic link anywhere in it is refused
/// with ELOOP: it was not there when the plan was made. No permission on the object itself is needed (O_PATH).
[[nodiscard]] Fd open_source(const char* path);

/// Opens `path` below `root` as a mount point. Neither "..", nor symbolic nor magic links lead anywhere:
/// RESOLVE_IN_ROOT.
[[nodiscard]] Fd open_below(int root, const char* path);

/// A detached copy of what `source` (a descriptor) shows, with everything mounted below it.
[[nodiscard]] Fd clone_tree(int source);

/// A detached copy of the single mount at `name` below `directory`.
[[nodiscard]] Fd clone_single(int directory, const char* name);

/// Adds MOUNT_ATTR_* flags to a whole tree (to the top mount alone where `recursive` is false) and makes it private.
/// Flags that are there are never taken away.
[[nodiscard]] int add_attributes(int tree, std::uint64_t attributes, bool recursive);

/// Attaches a detached tree at `target`, a descriptor.
[[nodiscard]] int attach(int tree, int target);

/// A parameter of a new file system: "mode" = "0755"; a null value is a flag.
struct Parameter {
    const char* key;
    const char* value;
};

/// A new, detached file system of `type` with MOUNT_ATTR_* flags.
[[nodiscard]] Fd make_file_system(const char* type, std::span<const Parameter> parameters, std::uint64_t attributes);

/// Reads back whether the mount at `tree` has all of the MOUNT_ATTR_* flags (RDONLY, NOSUID, NODEV, NOEXEC).
/// \return 0, or -1 with errno EPERM where one is missing.
[[nodiscard]] int expect_attributes(int tree, std::uint64_t attributes);

} // namespace sandbox::mount
