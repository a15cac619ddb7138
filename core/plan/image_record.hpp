// What the store keeps of an image for a run, as lines of text: read at each start, so it is plainer than JSON.
#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "core/plan/image.hpp"

namespace sandbox {

/// The lines of images/HEX/record.
struct ImageRecord {
    std::vector<std::string> layers; ///< names in layers/, the lowest first
    bool single_owner = false;
    ImageConfig config;

    bool operator==(const ImageRecord&) const = default;
};

/// No image has more: the kernel's overlay takes 500 lower layers.
inline constexpr std::size_t kMostLayers = 500;

/// "NAME VALUE" lines; newlines and backslashes of a value are escaped.
[[nodiscard]] std::string to_text(const ImageRecord& record);

/// \param file for the message. \throws Error where it is not what `to_text` writes.
[[nodiscard]] ImageRecord read_image_record(std::string_view text, const std::string& file);

/// A name in layers/: the diff id's digits; "-" and 16 digits of the chain below it where its files depend on that;
/// ".single" where it has a single owner.
[[nodiscard]] bool is_layer_name(std::string_view name);

/// What each name leads to: "docker.io/library/debian:latest" -> "sha256:HEX".
using References = std::map<std::string, std::string>;

/// The file `references`. What it does not list is not there, whatever lies on the disk: so an import comes to be with
/// one rename(2).
struct StoreIndex {
    References names;
    std::set<std::string> images; ///< ids: those that names lead to, and those that have none (any more)

    bool operator==(const StoreIndex&) const = default;
};

/// "NAME ID" lines; "- ID" for an image without a name.
[[nodiscard]] std::string to_text(const StoreIndex& index);

/// \param file for the message. \throws Error
[[nodiscard]] StoreIndex read_index(std::string_view text, const std::string& file);

} // namespace sandbox
