// sandboxctl kept|diff|discard: the private layers that runs have kept, sandbox-images(7).
#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <iterator>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "cmd/common/json.hpp"
#include "cmd/common/print.hpp"
#include "cmd/sandboxctl/attempts.hpp"
#include "cmd/sandboxctl/verbs.hpp"
#include "core/base/error.hpp"
#include "core/kept_layers.hpp"
#include "core/layer_diff.hpp"
#include "core/plan/host.hpp"
#include "core/plan/host_image.hpp"
#include "core/plan/ids_plan.hpp"
#include "core/plan/nearest.hpp"
#include "core/plan/overlay_plan.hpp"
#include "core/plan/size.hpp"
#include "core/private_layers.hpp"
#include "core/user_namespace.hpp"

namespace sandbox::ctl {

namespace {

/// The caller's state, and the namespace in which the layers' files have their owners.
class Store {
public:
    Store() : host_(gather_host()), directory_(host_.look_up(host_.data_dir).real + "/private") {}

    [[nodiscard]] const std::string& data_dir() const { return host_.data_dir; }
    [[nodiscard]] const std::string& directory() const { return directory_; }
    [[nodiscard]] std::string path_of(const std::string& name) const { return kept_directory(directory_) + "/" + name; }

    [[nodiscard]] std::vector<std::string> names() const {
        std::vector<std::string> names;
        const std::string kept = kept_directory(directory_);
        const std::unique_ptr<DIR, int (*)(DIR*)> stream(::opendir(kept.c_str()), ::closedir);
        while (const dirent* entry = stream ? ::readdir(stream.get()) : nullptr) {
            if (is_kept_name(entry->d_name)) {
                names.emplace_back(entry->d_name);
            }
        }
        std::ranges::sort(names);
        return names;
    }

    /// \throws Error naming the nearest, where there is no such name; but none of `said`, the command line's.
    void expect(const std::string& name, const std::vector<std::string>& said = {}) const {
        std::vector<std::string> all = names();
        if (std::ranges::find(all, name) != all.end()) {
            return;
        }
        std::erase_if(all, [&](const std::string& other) { return std::ranges::find(said, other) != said.end(); });
        Error error("there is no kept layer " + sandbox::quoted(name));
        const std::string near = nearest(name, all);
        if (!near.empty()) {
            error.fix(fmt::format("did you mean '{}'?", near));
        }
        throw std::move(error).fix("sandboxctl kept");
    }

    const Fd& user_namespace() {
        if (!user_namespace_) {
            Profile::Ids ids;
            ids.groups.set("keep", built_in());
            user_namespace_ = make_user_namespace(plan_ids(ids, host_, RootChoice{}));
        }
        return user_namespace_;
    }

private:
    Host host_;
    std::string directory_;
    Fd user_namespace_;
};

/// A kept name, as it is listed.
struct Listed {
    std::string name;
    KeptLayers kept;
    std::uint64_t size = 0;
    bool in_use = false;
};

Listed look_at(Store& store, const std::string& name) {
    const std::string path = store.path_of(name);
    Listed listed{.name = name, .kept = read_kept_layers(path).value_or(KeptLayers{}), .size = 0, .in_use = false};
    listed.in_use = !lock_kept_layers(path);
    const std::string size =
        ask_in_user_namespace(store.user_namespace(), [&] { return std::to_string(measure_tree(path)); });
    listed.size = std::stoull(size);
    return listed;
}

int list(bool json) {
    Store store;
    std::vector<Listed> all;
    for (const std::string& name : store.names()) {
        all.push_back(look_at(store, name));
    }
    if (json) {
        Json result = Json::array();
        for (const Listed& one : all) {
            Json layers = Json::array();
            for (const KeptLayer& layer : one.kept.layers) {
                layers.push_back({{"name", layer.name}, {"below", layer.below}});
            }
            result.push_back({{"name", one.name},
                              {"driver", one.kept.driver},
                              {"size", one.size},
                              {"in_use", one.in_use},
                              {"layers", std::move(layers)}});
        }
        print(to_text(result));
        return 0;
    }
    std::string text;
    for (const Listed& one : all) {
        text += fmt::format("{}  {}{}\n", one.name, size_words(one.size), one.in_use ? "  (in use)" : "");
        for (const KeptLayer& layer : one.kept.layers) {
            text += fmt::format("    over {}\n", escaped(layer.below));
        }
    }
    print(text);
    return 0;
}

std::string_view type_word(mode_t mode) {
    switch (mode & S_IFMT) {
    case S_IFREG:
        return "file";
    case S_IFDIR:
        return "directory";
    case S_IFLNK:
        return "link";
    case S_IFIFO:
        return "fifo";
    case S_IFSOCK:
        return "socket";
    default:
        return "device";
    }
}

std::string_view kind_word(Change::Kind kind) {
    return kind == Change::Kind::added ? "added" : kind == Change::Kind::changed ? "changed" : "deleted";
}

std::vector<std::string> layers_below(const Store& store, const std::string& name, const KeptLayer& layer) {
    if (layer.below.starts_with('/')) {
        return {layer.below};
    }
    if (!stored_index(store.data_dir()).images.contains(layer.below)) {
        throw Error("cannot tell what the kept layer " + sandbox::quoted(name) + " has changed")
            .cause("the image " + escaped(layer.below) + ", which it lies over, was removed from the store")
            .fix("import or pull that image again, or sandboxctl discard " + name);
    }
    return find_image(store.data_dir(), layer.below).layers;
}

/// Whether it is what sandbox itself made to mount on, and has never written to: it is covered while CMD runs.
bool is_own_mount_point(const Change& change, const std::vector<Change>& changes) {
    constexpr std::array<std::string_view, 3> kDirectories = {"/dev", "/proc", "/sys"};
    constexpr std::array<std::string_view, 3> kFiles = {"/etc/hosts", "/etc/hostname", "/etc/resolv.conf"};
    if (change.kind != Change::Kind::added) {
        return false;
    }
    if (S_ISREG(change.mode)) {
        return change.size == 0 && std::ranges::find(kFiles, change.path) != kFiles.end();
    }
    return S_ISDIR(change.mode) && std::ranges::find(kDirectories, change.path) != kDirectories.end() &&
           std::ranges::none_of(changes,
                                [&](const Change& other) { return other.path.starts_with(change.path + "/"); });
}

/// A layer's changes, by the paths that CMD sees them at.
std::vector<Change> changes_of(Store& store, const std::string& name, const KeptLayers& kept, std::size_t index) {
    const KeptLayer& layer = kept.layers[index];
    const std::vector<std::string> below = layers_below(store, name, layer);
    const std::string upper = fmt::format("{}/{}/upper", store.path_of(name), index);
    const OverlayMarks marks = kept.driver == "fuse" ? OverlayMarks::fuse : OverlayMarks::kernel;
    std::vector<Change> changes = read_changes(
        ask_in_user_namespace(store.user_namespace(), [&] { return to_text(compare_layer(upper, below, marks)); }));
    if (layer.name.starts_with('/')) {
        for (Change& change : changes) {
            change.path.insert(0, layer.name);
        }
        return changes;
    }
    std::vector<Change> shown;
    std::ranges::copy_if(changes, std::back_inserter(shown),
                         [&](const Change& change) { return !is_own_mount_point(change, changes); });
    return shown;
}

int diff(const std::string& name, bool json) {
    Store store;
    store.expect(name);
    const std::optional<KeptLayers> kept = read_kept_layers(store.path_of(name));
    if (!kept) {
        throw Error("cannot read what the kept layer " + sandbox::quoted(name) + " lies over")
            .fix("sandboxctl discard " + name);
    }
    Json layers = Json::array();
    std::string text;
    for (std::size_t i = 0; i < kept->layers.size(); ++i) {
        Json changes = Json::array();
        for (const Change& change : changes_of(store, name, *kept, i)) {
            changes.push_back({{"path", change.path},
                               {"change", kind_word(change.kind)},
                               {"type", type_word(change.mode)},
                               {"mode", fmt::format("{:04o}", change.mode & 07777U)},
                               {"size", change.size}});
            text += fmt::format("{:<8} {:<9} {:04o} {:>9}  {}\n", kind_word(change.kind), type_word(change.mode),
                                change.mode & 07777U, change.size, escaped(change.path));
        }
        layers.push_back(
            {{"name", kept->layers[i].name}, {"below", kept->layers[i].below}, {"changes", std::move(changes)}});
    }
    const Json document = {{"name", name}, {"driver", kept->driver}, {"layers", std::move(layers)}};
    print(json ? to_text(document) : text);
    return 0;
}

void discard_one(Store& store, const std::string& name) {
    const std::string path = store.path_of(name);
    const Fd lock = lock_kept_layers(path);
    if (!lock) {
        throw Error("cannot discard the kept layer " + sandbox::quoted(name)).cause("a sandbox runs on it");
    }
    // Among what runs have left it is removed by the next of them, should this be interrupted.
    const std::string among_left = "discarded-" + name;
    remove_run_directories(store.directory(), store.user_namespace(), {among_left}); // of one that was
    const std::string left = store.directory() + "/run/" + among_left;
    if (std::rename(path.c_str(), left.c_str()) < 0) {
        const int error_number = errno;
        throw Error("cannot discard the kept layer " + sandbox::quoted(name)).kernel(error_number);
    }
    // Of any image: a run that was killed, or found the disk full, may have noted itself there and nothing else.
    for (const std::string& id : stored_index(store.data_dir()).images) {
        drop_image_user(store.data_dir(), id, kept_user_name(name));
    }
    remove_run_directories(store.directory(), store.user_namespace(), {among_left});
}

int discard(const std::vector<std::string>& names) {
    Store store;
    Attempts attempts;
    attempts.make_for_each(names, [&](const std::string& name) {
        store.expect(name, names);
        discard_one(store, name);
    });
    return attempts.status();
}

} // namespace

void add_kept(CLI::App& program, Action& chosen) {
    CLI::App* verb = program.add_subcommand("kept", "list the private layers that were kept (sandbox --keep)");
    const auto json = std::make_shared<bool>(false);
    verb->add_flag("--json", *json, "print it for programs");
    verb->callback([&chosen, json] { chosen = [json] { return list(*json); }; });
}

void add_diff(CLI::App& program, Action& chosen) {
    CLI::App* verb = program.add_subcommand("diff", "list what a kept layer has added, changed and deleted");
    const auto name = std::make_shared<std::string>();
    const auto json = std::make_shared<bool>(false);
    verb->add_option("NAME", *name, "the name that it is kept under")->required()->type_name("KEPT");
    verb->add_flag("--json", *json, "print it for programs");
    verb->callback([&chosen, name, json] { chosen = [name, json] { return diff(*name, *json); }; });
}

void add_discard(CLI::App& program, Action& chosen) {
    CLI::App* verb = program.add_subcommand("discard", "remove kept layers");
    const auto names = std::make_shared<std::vector<std::string>>();
    verb->add_option("NAME", *names, "the names that they are kept under")->required()->type_name("KEPT");
    verb->callback([&chosen, names] { chosen = [names] { return discard(*names); }; });
}

} // namespace sandbox::ctl
