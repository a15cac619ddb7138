// The images that files hold: an OCI layout, or what docker save writes.
#pragma once

#include <string>
#include <vector>

#include "core/image/files.hpp"
#include "core/image/layers.hpp"
#include "core/image/manifest.hpp"

namespace sandbox::image {

/// An image as it is delivered, its documents read and compared with their digests.
struct DeliveredImage {
    std::string id; ///< the config's digest
    std::string config_text;
    ParsedConfig config;
    std::string manifest_text; ///< empty: docker save has none
    std::vector<LayerSource> layers;
    std::vector<std::string> names; ///< as they are written there: "debian:12", "12"
};

/// \param source what messages call it. \param wanted which of several builds. \param only whether an image for another
/// platform is an error even where there is no choice. \throws Error
[[nodiscard]] std::vector<DeliveredImage> read_delivery(const Files& files, const std::string& source,
                                                        const Platform& wanted, bool only);

} // namespace sandbox::image
