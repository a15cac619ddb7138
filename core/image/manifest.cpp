#include "core/image/manifest.hpp"

#include <algorithm>

#include "core/base/error.hpp"
#include "core/image/document.hpp"
#include "core/plan/image_record.hpp"

namespace sandbox::image {

namespace {

constexpr std::size_t kMostManifests = 10'000;
constexpr std::size_t kMostImages = 1000;

Descriptor read_descriptor(const Node& node) {
    Descriptor descriptor;
    node.expect_object();
    descriptor.media_type = node.member("mediaType").text();
    descriptor.digest = node.member("digest").digest();
    descriptor.size = node.member("size").size();
    if (const Node platform = node.member("platform"); platform.is_there()) {
        descriptor.platform = Platform{platform.member("os").text(), platform.member("architecture").text(),
                                       platform.member("variant").text()};
    }
    const Node annotations = node.member("annotations");
    descriptor.name = annotations.member("io.containerd.image.name").text();
    if (descriptor.name.empty()) {
        descriptor.name = annotations.member("org.opencontainers.image.ref.name").text();
    }
    return descriptor;
}

/// image-spec's and docker's kinds of layers, all of which are tars.
bool is_layer_type(const std::string& type) {
    return type.empty() || type.starts_with("application/vnd.oci.image.layer.v1.tar") ||
           type.starts_with("application/vnd.oci.image.layer.nondistributable.v1.tar") ||
           type.starts_with("application/vnd.docker.image.rootfs.diff.tar") ||
           type.starts_with("application/vnd.docker.image.rootfs.foreign.diff.tar");
}

void expect_variables(const Node& node, const std::vector<std::string>& environment) {
    if (std::ranges::any_of(environment, [](const std::string& entry) { return entry.find('=') == 0; })) {
        node.refuse("a variable without a name");
    }
}

} // namespace

bool is_index(std::string_view text, const std::string& file) {
    const nlohmann::json document = Node::parse(text, file);
    const Node root(document, file);
    root.expect_object();
    return root.member("manifests").is_there();
}

std::vector<Descriptor> parse_index(std::string_view text, const std::string& file) {
    const nlohmann::json document = Node::parse(text, file);
    const Node root(document, file);
    root.expect_object();
    std::vector<Descriptor> manifests;
    for (const Node& node : root.member("manifests").items(kMostManifests)) {
        manifests.push_back(read_descriptor(node));
    }
    if (manifests.empty()) {
        root.refuse("it lists no image");
    }
    return manifests;
}

Manifest parse_manifest(std::string_view text, const std::string& file) {
    const nlohmann::json document = Node::parse(text, file);
    const Node root(document, file);
    root.expect_object();
    if (root.member("fsLayers").is_there()) {
        root.refuse("it is of docker's schema 1, which nobody makes any more");
    }
    Manifest manifest;
    manifest.config = read_descriptor(root.member("config"));
    for (const Node& node : root.member("layers").items(kMostLayers)) {
        manifest.layers.push_back(read_descriptor(node));
        if (!is_layer_type(manifest.layers.back().media_type)) {
            node.refuse("it is no layer of files but " +
                        sandbox::quoted(manifest.layers.back().media_type.substr(0, 100)));
        }
    }
    if (manifest.layers.empty()) {
        root.refuse("it has no layers");
    }
    return manifest;
}

std::vector<ArchivedImage> parse_archive_manifest(std::string_view text, const std::string& file) {
    const nlohmann::json document = Node::parse(text, file);
    const Node root(document, file);
    std::vector<ArchivedImage> images;
    for (const Node& node : root.items(kMostImages)) {
        node.expect_object();
        ArchivedImage image{node.member("Config").text(), node.member("RepoTags").texts(), {}};
        for (const Node& layer : node.member("Layers").items(kMostLayers)) {
            image.layers.push_back(layer.text());
            if (image.layers.back().empty()) {
                layer.refuse("a name is wanted here");
            }
        }
        if (image.config.empty() || image.layers.empty()) {
            node.refuse("an image without a config or without layers");
        }
        images.push_back(std::move(image));
    }
    if (images.empty()) {
        root.refuse("it lists no image");
    }
    return images;
}

ParsedConfig parse_config(std::string_view text, const std::string& file) {
    const nlohmann::json document = Node::parse(text, file);
    const Node root(document, file);
    root.expect_object();
    ParsedConfig parsed;
    ImageConfig& config = parsed.config;
    config.architecture = root.member("architecture").text();
    config.os = root.member("os").text();
    parsed.variant = root.member("variant").text();
    const Node run = root.member("config");
    config.environment = run.member("Env").texts();
    expect_variables(run.member("Env"), config.environment);
    config.entrypoint = run.member("Entrypoint").texts();
    config.command = run.member("Cmd").texts();
    config.workdir = run.member("WorkingDir").text();
    config.user = run.member("User").text();
    config.stop_signal = run.member("StopSignal").text();
    const Node rootfs = root.member("rootfs");
    if (rootfs.member("type").text() != "layers") {
        rootfs.refuse("its type is not 'layers'");
    }
    for (const Node& node : rootfs.member("diff_ids").items(kMostLayers)) {
        parsed.diff_ids.push_back(node.digest());
    }
    return parsed;
}

std::string plain_config(const Platform& platform, const std::string& diff_id) {
    const nlohmann::ordered_json config = {
        {"architecture", platform.architecture},
        {"os", platform.os},
        {"config", nlohmann::ordered_json::object()},
        {"rootfs", {{"type", "layers"}, {"diff_ids", {diff_id}}}},
    };
    return config.dump();
}

} // namespace sandbox::image
