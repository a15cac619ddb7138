// A world with a small system of its own in it, made from busybox, and images put together by hand from directories.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "tests/support/world.hpp"

namespace sandbox::test {

/// The lines of an image's record beside its layers: "command sh".
using ConfigLines = std::vector<std::string>;

struct ImageWorld : World {
    ImageWorld();

    std::filesystem::path store; ///< $XDG_DATA_HOME/sandbox

    /// A system in `path`: busybox under the names of its programs, /etc/passwd and /etc/group, the usual directories.
    std::filesystem::path make_system(const std::filesystem::path& path) const;
    /// The directory of a new layer of the store, empty.
    std::filesystem::path layer(const std::string& name) const;
    /// Puts an image into the store: `layers` are names for `layer`, the lowest first.
    void image(const std::string& name, const std::vector<std::string>& layers, const ConfigLines& config = {}) const;
    /// An image of one layer that holds make_system, called "box".
    void box(const ConfigLines& config = {}) const;

    void link(const std::filesystem::path& path, const std::string& target) const;
    void whiteout(const std::filesystem::path& path) const;
    void make_opaque(const std::filesystem::path& path) const;

    /// `sandbox --net none --image NAME WORDS...`; the network costs time, and few tests are about it.
    Result on(const std::string& image, const Words& words) const;
    Result box_sh(const std::string& script) const { return on("box", {"sh", "-c", script}); }
    /// The layers of runs that are there.
    std::vector<std::string> private_layers() const;
};

/// Whether this machine lets the test user open /dev/fuse, and has fuse-overlayfs.
[[nodiscard]] bool has_fuse_overlayfs();

} // namespace sandbox::test
