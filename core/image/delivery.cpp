#include "core/image/delivery.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "core/base/error.hpp"
#include "core/plan/image_reference.hpp"

namespace sandbox::image {

namespace {

constexpr int kDeepestIndex = 4;
constexpr std::size_t kMostDocuments = 2000;

std::string blob_path(const std::string& digest) {
    return "blobs/sha256/" + hex_of(digest);
}

void expect_size(const Blob& blob, const Descriptor& descriptor) {
    if (blob.size != descriptor.size) {
        throw Error("the image's " + quoted(blob.name) + " has the wrong size")
            .cause(fmt::format("it has {} bytes, its descriptor says {}", blob.size, descriptor.size))
            .fix("fetch the image again");
    }
}

/// A document, compared with its digest.
std::string read_document(const Files& files, const Descriptor& descriptor) {
    const std::string path = blob_path(descriptor.digest);
    expect_size(files.get(path), descriptor);
    std::string text = files.read(path);
    if (const std::string found = digest_of(text); found != descriptor.digest) {
        refuse_digest(path, descriptor.digest, found);
    }
    return text;
}

void expect_as_many(const DeliveredImage& image, const std::string& file) {
    if (image.config.diff_ids.size() != image.layers.size()) {
        throw Error("cannot read the image's " + quoted(file))
            .cause(fmt::format("its config has {} diff ids, its manifest {} layers", image.config.diff_ids.size(),
                               image.layers.size()))
            .fix("fetch the image again");
    }
}

Platform platform_of(const ParsedConfig& config) {
    return {config.config.os, config.config.architecture, config.variant};
}

class LayoutReader {
public:
    LayoutReader(const Files& files, const Platform& wanted, bool only) : files_(files), wanted_(wanted), only_(only) {}

    std::vector<DeliveredImage> read() {
        const std::vector<Descriptor> listed = parse_index(files_.read("index.json"), "index.json");
        std::vector<std::string> names;
        for (const Descriptor& descriptor : listed) {
            if (std::ranges::find(names, descriptor.name) == names.end()) {
                names.push_back(descriptor.name);
            }
        }
        std::vector<DeliveredImage> images;
        for (const std::string& name : names) {
            std::vector<Descriptor> builds;
            std::ranges::copy_if(listed, std::back_inserter(builds),
                                 [&](const Descriptor& descriptor) { return descriptor.name == name; });
            images.push_back(read_build(builds, name));
        }
        return images;
    }

private:
    DeliveredImage read_build(const std::vector<Descriptor>& builds, const std::string& name) {
        offered_.clear();
        std::optional<DeliveredImage> image = choose(builds, 0, builds.size() == 1 && !only_);
        if (!image) {
            Error error(fmt::format("the image has no build for {}", to_text(wanted_)));
            error.cause(fmt::format("it has builds for {}", escaped(fmt::format("{}", fmt::join(offered_, ", ")))));
            throw std::move(error).fix("name one of them with --platform");
        }
        if (!name.empty()) {
            image->names.push_back(name);
        }
        return std::move(*image);
    }

    /// \param any whether a build for another platform is taken where the list leaves no choice.
    std::optional<DeliveredImage> choose(const std::vector<Descriptor>& builds, int depth, bool any) {
        if (depth > kDeepestIndex) {
            throw Error("cannot read the image's index").cause("it lists an index that lists an index, too often");
        }
        for (const Descriptor& build : builds) {
            if (build.platform && !build.platform->architecture.empty() && !serves(*build.platform, wanted_) && !any) {
                offered_.push_back(to_text(*build.platform));
                continue;
            }
            if (++documents_ > kMostDocuments) {
                throw Error("cannot read the image's index").cause("it lists too many documents");
            }
            const std::string path = blob_path(build.digest);
            const std::string text = read_document(files_, build);
            if (is_index(text, path)) {
                if (auto image = choose(parse_index(text, path), depth + 1, false)) {
                    return image;
                }
                continue;
            }
            DeliveredImage image = read_image(text, path);
            Platform platform = platform_of(image.config);
            if (platform.variant.empty() && build.platform) {
                platform.variant = build.platform->variant; // a config often leaves it out
            }
            if (any || serves(platform, wanted_)) {
                return image;
            }
            offered_.push_back(to_text(platform));
        }
        return std::nullopt;
    }

    DeliveredImage read_image(const std::string& text, const std::string& path) {
        const Manifest manifest = parse_manifest(text, path);
        DeliveredImage image;
        image.manifest_text = text;
        image.id = manifest.config.digest;
        image.config_text = read_document(files_, manifest.config);
        image.config = parse_config(image.config_text, blob_path(manifest.config.digest));
        for (std::size_t i = 0; i < manifest.layers.size(); ++i) {
            const Descriptor& layer = manifest.layers[i];
            Blob blob = files_.get(blob_path(layer.digest));
            expect_size(blob, layer);
            image.layers.push_back(
                {std::move(blob), layer.digest, i < image.config.diff_ids.size() ? image.config.diff_ids[i] : ""});
        }
        expect_as_many(image, path);
        return image;
    }

    const Files& files_;
    const Platform& wanted_;
    bool only_;
    std::vector<std::string> offered_;
    std::size_t documents_ = 0;
};

/// What the name of a member says that its digest is; empty: nothing. "HEX.json", "blobs/sha256/HEX".
std::string named_digest(const std::string& path) {
    constexpr std::size_t kDigits = 64;
    std::string_view name = path;
    name.remove_prefix(name.rfind('/') == std::string_view::npos ? 0 : name.rfind('/') + 1);
    if (name.ends_with(".json")) {
        name.remove_suffix(5);
    }
    return name.size() == kDigits && is_hex(name) ? std::string(kSha256) + std::string(name) : "";
}

std::vector<DeliveredImage> read_archive(const Files& files, const Platform& wanted, bool only) {
    std::vector<DeliveredImage> images;
    for (const ArchivedImage& archived : parse_archive_manifest(files.read("manifest.json"), "manifest.json")) {
        DeliveredImage image;
        image.config_text = files.read(archived.config);
        image.id = digest_of(image.config_text);
        if (const std::string said = named_digest(archived.config); !said.empty() && said != image.id) {
            refuse_digest(archived.config, said, image.id);
        }
        image.config = parse_config(image.config_text, archived.config);
        for (std::size_t i = 0; i < archived.layers.size(); ++i) {
            // Only where it lies among blobs is a layer's name its own digest; elsewhere it is an older kind of id.
            const bool is_blob = archived.layers[i].starts_with("blobs/");
            image.layers.push_back({files.get(archived.layers[i]),
                                    is_blob ? named_digest(archived.layers[i]) : std::string(),
                                    i < image.config.diff_ids.size() ? image.config.diff_ids[i] : ""});
        }
        expect_as_many(image, "manifest.json");
        image.names = archived.tags;
        if (only && !serves(platform_of(image.config), wanted)) {
            throw Error(fmt::format("the image has no build for {}", to_text(wanted)))
                .cause("it is for " + escaped(to_text(platform_of(image.config))));
        }
        images.push_back(std::move(image));
    }
    return images;
}

} // namespace

std::vector<DeliveredImage> read_delivery(const Files& files, const std::string& source, const Platform& wanted,
                                          bool only) {
    if (files.find("index.json")) {
        return LayoutReader(files, wanted, only).read();
    }
    if (files.find("manifest.json")) {
        return read_archive(files, wanted, only);
    }
    throw Error("there is no image in " + quoted(source))
        .cause("neither index.json (an OCI layout) nor manifest.json (docker save) is there")
        .fix("of a root file system, import a tar: tar -C DIR -c . | sandboxctl image import --name NAME -");
}

} // namespace sandbox::image
