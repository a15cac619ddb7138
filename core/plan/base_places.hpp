// What every sandbox has: the system's directories read-only, /proc, a small /dev, and what they link to.
#pragma once

#include "core/plan/filesystem_context.hpp"

namespace sandbox {

/// Puts the base into the tree, under everything that was granted. Before: grants at their own path are in the tree.
void put_base(FilesystemContext& context);

/// The files of /etc that are links to a place which the sandbox does not show (/run/systemd/resolve/...), so that
/// names resolve. Before: all grants and private directories are in the tree.
void put_linked_system_files(FilesystemContext& context);

} // namespace sandbox
