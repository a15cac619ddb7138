// Paths in a root that is not ours: an image may have a link, or nothing, where we want to mount something.
#pragma once

#include "core/base/fd.hpp"

namespace sandbox::tree_path {

enum class Want { directory, file };
enum class Links { refused, followed };

/// Opens `path` (absolute) in `root` for use as a mount point (O_PATH). Links are followed inside of `root`, where they
/// are followed at all; neither they nor ".." lead out of it, magic links lead nowhere, and no other mount is entered:
/// openat2(2), RESOLVE_IN_ROOT, RESOLVE_NO_XDEV. What is missing is made: directories with mode 0755, or at the end an
/// empty file. Plain code, for between clone and exec.
/// \return nothing, and errno: ELOOP for a link that is refused, EXDEV where the way enters another mount.
[[nodiscard]] Fd open_or_make(int root, const char* path, Want want, Links links);

/// As open_or_make, but makes nothing.
[[nodiscard]] Fd open_existing(int root, const char* path, Links links);

/// Opens the regular file `path` for reading; waits for no writer of a FIFO. \return nothing, and errno.
[[nodiscard]] Fd open_text(int root, const char* path);

} // namespace sandbox::tree_path
