// What the root of the sandbox is made of: the host's system directories, nothing, an image, or a directory.
#pragma once

#include <optional>
#include <string>

#include "core/plan/host.hpp"
#include "core/plan/layers.hpp"
#include "core/plan/origin.hpp"
#include "core/plan/profile.hpp"

namespace sandbox {

struct RootChoice {
    enum class Kind { host, empty, image, rootfs };

    Kind kind = Kind::host;
    std::optional<Image> image; ///< for Kind::image
    std::string rootfs;         ///< for Kind::rootfs: a real path
    bool writable = false;      ///< a private layer lies over the image or the directory, and CMD may write it
    Origin origin;
    Origin writable_origin;

    /// Whether the root is a whole system of its own, whose files nobody vouches for.
    [[nodiscard]] bool is_tree() const { return kind == Kind::image || kind == Kind::rootfs; }
    /// Whether the root is shown through an overlay: an image always is, since mount points are made in it.
    [[nodiscard]] bool has_overlay() const { return kind == Kind::image || (kind == Kind::rootfs && writable); }
};

/// Joins filesystem.root, image, rootfs and writable-root. \throws Error where one of them would have no effect, where
/// the image or the directory is not there, or where the directory holds what no sandbox shows.
[[nodiscard]] RootChoice choose_root(const Profile::Filesystem& filesystem, const Host& host, const Layers& layers);

} // namespace sandbox
