// The layers that runs have kept under a name, and what each of them lies over.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/base/fd.hpp"

namespace sandbox {

/// One layer of those that are kept together.
struct KeptLayer {
    std::string name;  ///< Overlay::name: "root", or a path of the host
    std::string below; ///< Overlay::below: an image's id, or a path of the host

    bool operator==(const KeptLayer&) const = default;
};

/// What a kept name holds: a directory "0", "1" ... for each layer, in this order.
struct KeptLayers {
    std::string driver; ///< "kernel" or "fuse": the two leave different marks in a layer
    std::vector<KeptLayer> layers;

    [[nodiscard]] std::string to_text() const;
    /// \return nothing where `text` is none of ours.
    [[nodiscard]] static std::optional<KeptLayers> parse(const std::string& text);
};

/// The directory of those that are kept below OverlaysPlan::directory.
[[nodiscard]] std::string kept_directory(const std::string& directory);

/// What the store knows a kept name by: add_image_user.
[[nodiscard]] std::string kept_user_name(const std::string& name);

/// Reads the description in the directory of a kept name; nothing where there is none, or it is damaged.
[[nodiscard]] std::optional<KeptLayers> read_kept_layers(const std::string& directory);

/// Writes it, whole or not at all. \throws Error
void write_kept_layers(const std::string& directory, const KeptLayers& kept);

/// Locks the directory of a kept name for one run, or one change: flock(2). \return nothing where another has it.
/// \throws Error where the directory cannot be opened.
[[nodiscard]] Fd lock_kept_layers(const std::string& directory);

} // namespace sandbox
