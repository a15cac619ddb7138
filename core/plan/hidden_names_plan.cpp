#include "core/plan/hidden_names_plan.hpp"

#include <algorithm>
#include <string>
#include <utility>

#include "core/plan/paths.hpp"
#include "core/plan/secret_names.hpp"

namespace sandbox {

namespace {

/// In the home itself: it is writable wherever there are links, and what is renamed into a target or out of it stays
/// in one file system.
constexpr const char* kTargets = ".sandbox";

/// Whether nothing but the private `home` decides what stands at `path`: no place is there, above it or in it.
bool is_free(const VirtualTree& tree, const std::string& home, const std::string& path) {
    for (std::string way = path; way != home; way = paths::parent(way)) {
        if (tree.at(way) != nullptr) {
            return false;
        }
    }
    const auto next = tree.places().upper_bound(path);
    return next == tree.places().end() || !paths::is_below(next->first, path);
}

/// The directories between `home` and `path`, a directory before what it holds.
void add_way_to(const std::string& path, const std::string& home, std::vector<std::string>& directories) {
    std::vector<std::string> way;
    for (std::string directory = paths::parent(path); directory != home; directory = paths::parent(directory)) {
        if (std::ranges::find(directories, directory) == directories.end()) {
            way.push_back(directory);
        }
    }
    directories.insert(directories.end(), way.rbegin(), way.rend());
}

} // namespace

HiddenNames plan_hidden_names(const FilesystemContext& context) {
    if (context.root.is_tree()) {
        return {}; // HOME is what the tree says
    }
    const VirtualTree& tree = context.tree;
    const std::string home = context.tree.resolve(context.host.home, built_in("home directory"));
    const Place* place = tree.at(home);
    const std::string targets = paths::join(home, kTargets);
    if (place == nullptr || place->kind != Place::Kind::private_directory || !is_free(tree, home, targets)) {
        return {};
    }
    HiddenNames names;
    names.home = home;
    names.origin = place->origin;
    names.directories.push_back(targets);
    for (const SecretName& secret : secret_names()) {
        std::string path = paths::join(home, secret.path);
        if (!is_free(tree, home, path)) {
            continue;
        }
        add_way_to(path, home, names.directories);
        std::string target = paths::join(targets, path.substr(path.rfind('/') + 1));
        names.list.push_back({.name = paths::join("~", secret.path),
                              .source = paths::join(context.host.home, secret.path),
                              .path = std::move(path),
                              .target = std::move(target),
                              .is_directory = secret.kind == SecretName::Kind::directory});
    }
    return names;
}

} // namespace sandbox
