// A world with an image store in it, and the scripts of tests/images that make images for it.
#pragma once

#include <filesystem>
#include <string>

#include "tests/support/world.hpp"

namespace sandbox::test {

struct StoreWorld : World {
    StoreWorld();
    ~StoreWorld();

    std::filesystem::path store;  ///< $XDG_DATA_HOME/sandbox
    std::filesystem::path made;   ///< where archives are made
    std::filesystem::path canary; ///< a file outside of the store that no archive may change

    /// Runs a script of tests/images as the user.
    Result script(const std::string& name, const Words& words) const;
    /// What hostile.py makes of this name.
    std::filesystem::path hostile(const std::string& name) const;
    /// An OCI layout of images.py.
    std::filesystem::path image(const std::string& name) const;

    Result ctl(const Words& words) const { return ctl(words, here()); }
    Result ctl(const Words& words, const Options& options) const;
    /// `sandboxctl image WORDS...`
    Result images(Words words) const;
    /// `sandboxctl image import WORDS...`
    Result import(Words words) const;

    /// The store verifies, nothing of an import is left, and the canary lives.
    void expect_whole() const;
    /// What the store lists, as JSON.
    std::string listed() const;
};

/// SANDBOX_TEST_IMAGES.
[[nodiscard]] std::string image_scripts();

} // namespace sandbox::test
