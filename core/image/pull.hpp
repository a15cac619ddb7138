// `sandboxctl image pull`: skopeo(1) fetches, we import.
#pragma once

#include "core/image/import.hpp"
#include "core/plan/host.hpp"
#include "core/plan/image_reference.hpp"

namespace sandbox::image {

/// Fetches `reference` into a directory of the store and imports it from there. \throws Error with skopeo's own words
[[nodiscard]] Imported pull_image(const Host& host, const OwnersPlan& owners, const ImageReference& reference,
                                  ImportRequest request);

/// skopeo's words for it, without the program. Pure.
[[nodiscard]] std::vector<std::string> skopeo_arguments(const ImageReference& reference, const Platform& platform,
                                                        bool has_policy, const std::string& directory);

} // namespace sandbox::image
