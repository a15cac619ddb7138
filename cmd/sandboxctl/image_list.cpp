// sandboxctl image list|inspect.
#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "cmd/common/json.hpp"
#include "cmd/common/print.hpp"
#include "cmd/sandboxctl/image_verbs.hpp"
#include "cmd/sandboxctl/table.hpp"
#include "core/base/error.hpp"
#include "core/image/manifest.hpp"
#include "core/image/progress.hpp"
#include "core/image/store.hpp"
#include "core/plan/host.hpp"
#include "core/plan/host_image.hpp"
#include "core/plan/image_reference.hpp"

namespace sandbox::ctl {

namespace {

constexpr std::size_t kShortId = 12;

struct Listed {
    std::string id;
    std::vector<std::string> references;
    ImageRecord record;
    std::uint64_t size = 0;
    std::string error; ///< what is wrong with it; empty: nothing
};

std::vector<Listed> list_images(const std::string& data_dir) {
    const StoreIndex index = stored_index(data_dir);
    std::vector<Listed> images;
    for (const std::string& id : index.images) {
        Listed image{id, {}, {}, 0, ""};
        for (const auto& [name, target] : index.names) {
            if (target == id) {
                image.references.push_back(name);
            }
        }
        try {
            image.record = stored_record(data_dir, id);
            for (const std::string& layer : image.record.layers) {
                image.size += image::read_layer_record(data_dir, layer).size;
            }
        } catch (const Error& error) {
            image.error = error.summary();
        }
        images.push_back(std::move(image));
    }
    // By name, those without one last.
    std::ranges::stable_sort(images, {}, [](const Listed& image) {
        return std::pair(image.references.empty(), image.references.empty() ? "" : image.references.front());
    });
    return images;
}

std::string platform_of(const ImageConfig& config) {
    return config.os + "/" + config.architecture;
}

Json to_json(const Listed& image) {
    return {{"references", image.references},
            {"id", image.id},
            {"size", image.size},
            {"layers", image.record.layers},
            {"platform", platform_of(image.record.config)},
            {"single_owner", image.record.single_owner},
            {"error", image.error.empty() ? Json(nullptr) : Json(image.error)}};
}

/// The name stands first, so that scripts can cut it off.
std::string as_lines(const std::vector<Listed>& images) {
    Table table({"NAME", "ID", "SIZE", "PLATFORM"});
    for (const Listed& image : images) {
        std::vector<std::string> names = image.references;
        if (names.empty()) {
            names.emplace_back("-");
        }
        for (const std::string& name : names) {
            table.add({familiar_reference(name), image.id.substr(kSha256.size(), kShortId),
                       image::human_size(image.size),
                       escaped(platform_of(image.record.config)) +
                           (image.error.empty() ? "" : "  (damaged: " + image.error + ")")});
        }
    }
    return table.text();
}

void print_names(const std::string& data_dir) {
    std::string text;
    for (const auto& [name, id] : stored_index(data_dir).names) {
        text += familiar_reference(name) + "\n";
    }
    print(text);
}

int list(bool json, bool names_only) {
    const std::string data_dir = gather_host().data_dir;
    if (names_only) {
        print_names(data_dir);
        return 0;
    }
    const std::vector<Listed> images = list_images(data_dir);
    if (!json) {
        print(as_lines(images));
        return 0;
    }
    Json document = Json::array();
    for (const Listed& image : images) {
        document.push_back(to_json(image));
    }
    print(sandbox::to_text(document));
    return 0;
}

Json layers_to_json(const std::string& data_dir, const ImageRecord& record) {
    Json layers = Json::array();
    for (const std::string& name : record.layers) {
        const image::LayerRecord layer = image::read_layer_record(data_dir, name);
        layers.push_back({{"diff_id", layer.diff_id},
                          {"directory", layer_root(data_dir, name)},
                          {"size", layer.size},
                          {"entries", layer.entries}});
    }
    return layers;
}

Json describe(const std::string& data_dir, const Image& image) {
    const ImageRecord record = stored_record(data_dir, image.id);
    std::vector<std::string> names;
    for (const auto& [name, id] : stored_index(data_dir).names) {
        if (id == image.id) {
            names.push_back(name);
        }
    }
    const ImageConfig& config = image.config;
    const std::string path = data_dir + "/images/" + image.id.substr(kSha256.size()) + "/config.json";
    return {{"references", names},
            {"id", image.id},
            {"platform", platform_of(config)},
            {"single_owner", image.single_owner},
            {"environment", config.environment},
            {"entrypoint", config.entrypoint},
            {"command", config.command},
            {"workdir", config.workdir},
            {"user", config.user},
            {"stop_signal", config.stop_signal},
            {"layers", layers_to_json(data_dir, record)},
            {"config", Json::parse(read_store_file(path, image::kLargestDocument))}};
}

/// "name: value" lines; what is empty is left out.
std::string as_text(const Json& image) {
    std::string text;
    for (const auto& [name, value] : image.items()) {
        if (name == "config" || value.empty() || value == "") {
            continue;
        }
        if (!value.is_array()) {
            text += fmt::format("{}: {}\n", name, value.is_string() ? escaped(value.get<std::string>()) : value.dump());
            continue;
        }
        text += fmt::format("{}:\n", name);
        for (const Json& item : value) {
            text += item.is_string() ? fmt::format("  {}\n", escaped(item.get<std::string>()))
                                     : fmt::format("  {}  {:>9}\n", item["diff_id"].get<std::string>(),
                                                   image::human_size(item["size"]));
        }
    }
    return text;
}

int inspect(const std::string& reference, bool json) {
    const Host host = gather_host();
    const Json document = describe(host.data_dir, find_image(host.data_dir, reference, {.pull = false}));
    print(json ? sandbox::to_text(document) : as_text(document));
    return 0;
}

} // namespace

void add_image_list(CLI::App& image, Action& chosen) {
    const auto json = std::make_shared<bool>(false);
    const auto reference = std::make_shared<std::string>();

    CLI::App* list_verb = image.add_subcommand("list", "the images there are: name, id, size, platform");
    const auto names_only = std::make_shared<bool>(false);
    CLI::Option* as_json = list_verb->add_flag("--json", *json, "print it for programs");
    list_verb->add_flag("-q,--quiet", *names_only, "their names alone, a line each")->excludes(as_json);
    list_verb->callback(
        [&chosen, json, names_only] { chosen = [json, names_only] { return list(*json, *names_only); }; });

    CLI::App* inspect_verb = image.add_subcommand("inspect", "what an image says about itself, and its layers");
    inspect_verb->add_option("image", *reference, "its name, or the first digits of its id")
        ->required()
        ->type_name("IMAGE");
    inspect_verb->add_flag("--json", *json, "print it for programs, with the whole config");
    inspect_verb->callback(
        [&chosen, json, reference] { chosen = [json, reference] { return inspect(*reference, *json); }; });
}

} // namespace sandbox::ctl
