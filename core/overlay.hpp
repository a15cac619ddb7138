// Layers to one mount: the kernel's overlayfs in a user namespace.
#pragma once

#include <cstddef>
#include <span>
#include <string>

namespace sandbox::overlay {

/// Where the two directories of a private layer are, both on one file system: absolute paths.
struct Layer {
    std::string upper;
    std::string work;
    bool is_fresh = true; ///< `upper` is new and empty: it takes the owner and mode of what it lies over
    bool is_kept = false; ///< it is used again: what is written has to reach the disk
};

/// Mounts `lower` (absolute paths free of links, the lowest first) under `layer` at `target`, an attached directory.
/// The kernel gets no path but short names of descriptors, so that neither the number of layers nor a character of a
/// path matters: `descriptors` is /proc/self/fd, opened, and becomes the working directory. Always with `userxattr`:
/// without it what an opaque directory hides shows again. Plain code, for between clone and exec. Before: the process
/// has CAP_SYS_ADMIN in the user namespace of its mount namespace, and its ids are mapped.
/// \return 0; or -1, and errno.
[[nodiscard]] int attach(std::span<const std::string> lower, const Layer& layer, int descriptors, int target);

/// The same for fuse-overlayfs: mounts a new FUSE file system at `target` and sends the descriptor that answers for it
/// over the control socket. From then on what looks into it waits for the program. Plain code. \return 0; or -1, and
/// errno.
[[nodiscard]] int attach_fuse(std::span<const std::string> lower, const Layer& layer, int target, int control);

} // namespace sandbox::overlay
