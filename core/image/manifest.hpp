// The JSON documents of an image: image-spec's image-index.md, manifest.md and config.md, and docker save's
// manifest.json. Pure functions of a text that nobody can be trusted to have written.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/image/platform.hpp"
#include "core/plan/image.hpp"

namespace sandbox::image {

inline constexpr std::size_t kLargestDocument = std::size_t{4} << 20; ///< bytes; as registries have it

struct Descriptor {
    std::string media_type; ///< may be empty
    std::string digest;     ///< "sha256:HEX"
    std::uint64_t size = 0;
    std::optional<Platform> platform;
    std::string name; ///< the annotation that names the image; empty: none
};

struct Manifest {
    Descriptor config;
    std::vector<Descriptor> layers; ///< the lowest first
};

/// An index lists manifests, a manifest has layers.
[[nodiscard]] bool is_index(std::string_view text, const std::string& file);

/// \param file for messages. \throws Error that says what is wrong, for all of these.
[[nodiscard]] std::vector<Descriptor> parse_index(std::string_view text, const std::string& file);
[[nodiscard]] Manifest parse_manifest(std::string_view text, const std::string& file);

/// One image of docker save's manifest.json.
struct ArchivedImage {
    std::string config;              ///< a name in the archive
    std::vector<std::string> tags;   ///< "debian:12"
    std::vector<std::string> layers; ///< names in the archive, the lowest first
};
[[nodiscard]] std::vector<ArchivedImage> parse_archive_manifest(std::string_view text, const std::string& file);

struct ParsedConfig {
    ImageConfig config;
    std::string variant;
    std::vector<std::string> diff_ids; ///< "sha256:HEX", the lowest first
};
[[nodiscard]] ParsedConfig parse_config(std::string_view text, const std::string& file);

/// The config of an image that is a root file system and nothing else.
[[nodiscard]] std::string plain_config(const Platform& platform, const std::string& diff_id);

} // namespace sandbox::image
