// What every sandbox has: the system's directories read-only, /proc, a small /dev, and what they link to.
#pragma once

#include "core/plan/filesystem_context.hpp"

namespace sandbox {

/// Puts the base into the tree, under everything that was granted. Before: grants at their own path are in the tree.
void put_base(FilesystemContext& context);

/// What leads out of what is shown by a link: /etc/localtime, the resolver's files where the network is the host's
/// (/run/systemd/resolve/...), /var/run. Before: all grants and private directories are in the tree.
void put_linked_system_files(FilesystemContext& context);

} // namespace sandbox
