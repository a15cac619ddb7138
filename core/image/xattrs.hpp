// Extended attributes of unpacked files: xattr(7).
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace sandbox::image {

using Xattr = std::pair<std::string, std::string>; ///< name and value

/// The kernel's overlay and fuse-overlayfs read these as orders to themselves. One that an archive brings would decide
/// what is hidden, or where a file's content comes from.
[[nodiscard]] bool is_overlay_xattr(const std::string& name);

/// The overlay's attributes of ours left out, sorted by name. \param descriptor no O_PATH one. \return false and errno
[[nodiscard]] bool list_xattrs(int descriptor, std::vector<Xattr>& xattrs);

/// As `list_xattrs`, of a name in a directory, which may be a link.
[[nodiscard]] bool list_link_xattrs(int directory, const std::string& name, std::vector<Xattr>& xattrs);

/// Sets one so. \return false and errno
[[nodiscard]] bool set_link_xattr(int directory, const std::string& name, const Xattr& xattr);

inline constexpr const char* kOpaqueXattr = "user.overlay.opaque";

} // namespace sandbox::image
