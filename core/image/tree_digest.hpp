// What a layer's directory holds, as one digest: `image verify` computes it again.
#pragma once

#include <sys/types.h>

#include <string>
#include <unordered_map>

#include "core/image/digest.hpp"

namespace sandbox::image {

/// sha256 over every entry in the order of names: path, type, mode, owner, size, time, link, extended attributes
/// (opaque too), content. \param root an open directory. \param known contents that need not be read again, by inode.
/// \throws Error where something cannot be read.
[[nodiscard]] std::string tree_digest(int root, const std::unordered_map<ino_t, Sha256Value>* known = nullptr);

} // namespace sandbox::image
