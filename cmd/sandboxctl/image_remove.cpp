// sandboxctl image remove|prune|verify.
#include <memory>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "cmd/common/json.hpp"
#include "cmd/common/print.hpp"
#include "cmd/sandboxctl/image_verbs.hpp"
#include "core/base/error.hpp"
#include "core/image/progress.hpp"
#include "core/image/store.hpp"
#include "core/image/verify.hpp"
#include "core/image/worker.hpp"
#include "core/own_directories.hpp"
#include "core/plan/host.hpp"
#include "core/plan/host_image.hpp"
#include "core/plan/image_reference.hpp"

namespace sandbox::ctl {

namespace {

/// Runs work on the store, and gives back the JSON that it tells.
Json in_store(const Host& host, const std::function<Json()>& work) {
    make_own_directories({host.data_dir});
    return Json::parse(image::run_in_user_namespace(image::plan_owners(host), host.data_dir, [&] {
        return work().dump(-1, ' ', true, Json::error_handler_t::replace);
    }));
}

Json to_json(const image::Removed& removed) {
    return {{"references", removed.references},
            {"images", removed.images},
            {"layers", removed.layers},
            {"size", removed.size}};
}

int report(const Json& removed, bool json) {
    if (json) {
        print(sandbox::to_text(removed));
        return 0;
    }
    std::string text;
    for (const std::string reference : removed["references"]) {
        text += fmt::format("removed the name {}\n", familiar_reference(reference));
    }
    for (const std::string id : removed["images"]) {
        text += fmt::format("removed the image {}\n", id);
    }
    const std::size_t layers = removed["layers"];
    text += fmt::format("{} layer{}, {} freed\n", layers, layers == 1 ? "" : "s", image::human_size(removed["size"]));
    print(text);
    return 0;
}

int remove(const std::vector<std::string>& references, bool force, bool json) {
    const Host host = gather_host();
    Json told = in_store(host, [&] {
        const image::Removed removed = image::remove_images(references, force);
        return Json{{"removed", to_json(removed)}, {"refusals", removed.refusals}};
    });
    for (const std::string refusal : told["refusals"]) {
        complain(refusal, "sandboxctl");
    }
    const Json& removed = told["removed"];
    if (json || !removed["references"].empty() || !removed["images"].empty()) {
        report(removed, json);
    }
    return told["refusals"].empty() ? 0 : kOwnFailure;
}

int prune(bool json) {
    const Host host = gather_host();
    return report(in_store(host, [] { return to_json(image::prune()); }), json);
}

int verify(const std::vector<std::string>& references, bool json) {
    const Host host = gather_host();
    std::vector<std::string> ids;
    ids.reserve(references.size());
    for (const std::string& reference : references) {
        ids.push_back(find_image(host.data_dir, reference, {.pull = false, .said = references}).id);
    }
    const Json problems = in_store(host, [&] { return Json(image::verify_images(ids)); });
    if (json) {
        print(sandbox::to_text({{"ok", problems.empty()}, {"problems", problems}}));
    } else {
        for (const std::string problem : problems) {
            print(problem + "\n");
        }
        print(problems.empty() ? "The image store is as it should be.\n"
                               : "\nRemove what is damaged (sandboxctl image remove), and import it again.\n");
    }
    return problems.empty() ? 0 : 1;
}

} // namespace

void add_image_remove(CLI::App& image, Action& chosen) {
    const auto json = std::make_shared<bool>(false);
    const auto force = std::make_shared<bool>(false);
    const auto references = std::make_shared<std::vector<std::string>>();

    CLI::App* remove_verb = image.add_subcommand("remove", "take images out of the store, and layers of no other");
    remove_verb->add_option("image", *references, "names, or the first digits of ids")->required()->type_name("IMAGE");
    remove_verb->add_flag("-f,--force", *force, "also where a sandbox or a kept layer needs it");
    remove_verb->add_flag("--json", *json, "print it for programs");
    remove_verb->callback([&chosen, json, force, references] {
        chosen = [json, force, references] { return remove(*references, *force, *json); };
    });

    CLI::App* prune_verb = image.add_subcommand("prune", "remove images without a name, and layers of no image");
    prune_verb->add_flag("--json", *json, "print it for programs");
    prune_verb->callback([&chosen, json] { chosen = [json] { return prune(*json); }; });
}

void add_image_verify(CLI::App& image, Action& chosen) {
    const auto json = std::make_shared<bool>(false);
    const auto references = std::make_shared<std::vector<std::string>>();
    CLI::App* verb = image.add_subcommand("verify", "read every file of the store, and compare it with its digest");
    verb->add_option("image", *references, "these alone; default: all")->type_name("IMAGE");
    verb->add_flag("--json", *json, "print it for programs");
    verb->callback([&chosen, json, references] { chosen = [json, references] { return verify(*references, *json); }; });
}

} // namespace sandbox::ctl
