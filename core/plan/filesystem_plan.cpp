#include "core/plan/filesystem_plan.hpp"

#include <algorithm>
#include <array>
#include <initializer_list>
#include <string>
#include <tuple>
#include <utility>

#include "core/base/error.hpp"
#include "core/plan/base_places.hpp"
#include "core/plan/cgroup_plan.hpp"
#include "core/plan/filesystem_context.hpp"
#include "core/plan/generated_files.hpp"
#include "core/plan/grants.hpp"
#include "core/plan/hidden_names_plan.hpp"
#include "core/plan/hide.hpp"
#include "core/plan/masks.hpp"
#include "core/plan/overlay_plan.hpp"
#include "core/plan/path_words.hpp"
#include "core/plan/paths.hpp"
#include "core/plan/protections.hpp"
#include "core/plan/root_entries.hpp"

namespace sandbox {

namespace {

std::vector<OwnDirectory> own_directory(std::initializer_list<std::string> written, HostFacts& facts) {
    std::vector<OwnDirectory> directories;
    for (const std::string& path : written) {
        const std::string real = path.empty() ? path : facts.look_up(path).real;
        const auto is_same = [&](const OwnDirectory& directory) { return directory.written == path; };
        if (!path.empty() && std::ranges::none_of(directories, is_same)) {
            directories.push_back({.written = path, .real = real});
        }
    }
    return directories;
}

OwnDirectories own_directories(const Host& host, HostFacts& facts) {
    const auto of_account = [&](const char* rest) {
        return host.account_home.empty() ? std::string() : paths::join(host.account_home, rest);
    };
    return {.homes = own_directory({host.home, host.account_home}, facts),
            .runtimes = own_directory({host.runtime_dir, "/run/user/" + std::to_string(host.uid)}, facts),
            .configs = own_directory({host.config_dir, of_account(".config/sandbox")}, facts),
            .datas = own_directory({host.data_dir, of_account(".local/share/sandbox")}, facts)};
}

/// Not "/" itself: the stage would then lie on top of the old root, and taking it off would cost a second umount, most
/// of it waiting for other CPUs.
std::string find_stage_point(const RootPlan& root, HostFacts& facts) {
    constexpr auto kPoints =
        std::to_array<const char*>({"/proc", "/sys", "/tmp", "/run", "/mnt", "/srv", "/media", "/home", "/var"});
    for (const std::string point : kPoints) {
        const PathFact& fact = facts.look_up(point);
        const bool holds_a_source = std::ranges::any_of(root.entries, [&](const RootEntry& entry) {
            const bool has_source = entry.kind == RootEntry::Kind::bind || entry.kind == RootEntry::Kind::overlay;
            return has_source && paths::is_within(entry.source, point);
        });
        const bool holds_the_tree = root.tree && paths::is_within(root.tree->directory, point);
        if (fact.kind == PathFact::Kind::directory && fact.real == point && !holds_a_source && !holds_the_tree) {
            return point;
        }
    }
    throw Error("cannot build the sandbox's root: every directory of the system holds a grant")
        .cause("one of /proc, /sys, /tmp, /run, /mnt, /srv, /media, /home and /var must hold none")
        .fix("grant less");
}

/// What is read-only in its own place is not so where a part of it is granted elsewhere.
void refuse_writable_cgroups(const FilesystemContext& context, const RootPlan& root) {
    for (const RootEntry& entry : root.entries) {
        const bool shows_cgroups =
            entry.kind == RootEntry::Kind::bind && entry.writable && paths::is_within(entry.source, "/sys/fs/cgroup");
        if (shows_cgroups && limits_the_sandbox(context.profile.limits)) {
            throw Error(written_at(entry.origin) + ": cannot show " + quoted(entry.source) + " writable")
                .cause("CMD could raise its own limits there")
                .fix("show it read-only, or take the limits away");
        }
    }
}

RootPlan plan_root(FilesystemContext& context, std::vector<std::string> ensured) {
    RootPlan root;
    if (const Place* whole = context.tree.at("/")) {
        root.host_root = true;
        root.host_root_writable = whole->writable;
        root.host_root_origin = whole->origin;
    }
    if (context.root.is_tree()) {
        root.tree = plan_tree_root(context.root);
    }
    root.entries = root_entries(context.tree, context.facts, context.own.runtimes.front().real);
    for (RootEntry& mask : plan_masks(context)) {
        root.entries.push_back(std::move(mask));
    }
    refuse_writable_cgroups(context, root);
    root.hidden_names = plan_hidden_names(context);
    root.ensure_directories = std::move(ensured);
    return root;
}

/// What the image says, or the top; it is made where it is missing, as docker(1) does.
std::pair<std::string, Origin> plan_workdir_in_tree(const FilesystemContext& context) {
    const auto& wanted = context.profile.process.workdir;
    if (wanted) {
        return {paths::normal(read_path({*wanted.value, wanted.origin}, context.host).path), wanted.origin};
    }
    const std::string of_image = context.root.image ? context.root.image->config.workdir : "";
    if (of_image.empty()) {
        return {"/", built_in("root directory")};
    }
    return {paths::join("/", paths::normal(paths::join("/", of_image))), built_in("image")};
}

std::pair<std::string, Origin> plan_workdir(FilesystemContext& context) {
    VirtualTree& tree = context.tree;
    const auto& wanted = context.profile.process.workdir;
    if (context.root.is_tree()) {
        return plan_workdir_in_tree(context);
    }
    if (wanted) {
        const std::string written = read_path({*wanted.value, wanted.origin}, context.host).path;
        std::string path = tree.resolve(written, wanted.origin);
        if (!tree.shows_directory(path)) {
            throw Error(written_at(wanted.origin) + ": cannot start in " + quoted(written))
                .cause("there is no such directory in the sandbox")
                .fix("show it with --ro or --rw, or start elsewhere: --workdir /");
        }
        return {std::move(path), wanted.origin};
    }
    if (context.host.cwd.empty()) {
        context.notice("the current directory cannot be named: the command starts in another");
    } else if (tree.shows_directory(context.host.cwd)) {
        return {context.host.cwd, built_in("current directory")};
    }
    const Origin home = built_in("home directory");
    std::string path = tree.resolve(context.host.home, home);
    if (tree.shows_directory(path)) {
        return {std::move(path), home};
    }
    return {"/", built_in("root directory")};
}

} // namespace

FilesystemPlan plan_filesystem(const Profile& profile, const Host& host, const Layers& layers, const RootChoice& root,
                               const NamespacesPlan& namespaces, const NetworkPlan& network,
                               std::vector<std::string>& notices) {
    HostFacts facts(host);
    VirtualTree tree(facts, root.is_tree());
    FilesystemContext context{.profile = profile,
                              .host = host,
                              .layers = layers,
                              .root = root,
                              .namespaces = namespaces,
                              .network = network,
                              .notices = notices,
                              .facts = facts,
                              .tree = tree,
                              .own = own_directories(host, facts)};
    const std::vector<Grant> grants = find_grants(context);
    put_grants_in_place(context, grants);
    put_base(context);
    put_grants_elsewhere(context, grants);
    put_linked_system_files(context);
    put_generated_files(context);
    refuse_planted_links(context, grants);
    // The tree shows everything now; what follows only takes away.
    std::vector<std::string> ensured = put_protections(context);
    put_covers(context);

    FilesystemPlan plan;
    plan.root = plan_root(context, std::move(ensured));
    plan.overlays = plan_overlays(context, plan.root);
    plan.root.stage_point = find_stage_point(plan.root, facts);
    std::tie(plan.workdir, plan.workdir_origin) = plan_workdir(context);
    plan.makes_workdir = root.is_tree();
    return plan;
}

} // namespace sandbox
