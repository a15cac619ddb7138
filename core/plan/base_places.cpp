#include "core/plan/base_places.hpp"

#include <utility>

#include "core/plan/one_of.hpp"
#include "core/plan/paths.hpp"

namespace sandbox {

namespace {

Place base(Place::Kind kind, std::string dest, const char* reason) {
    Place place;
    place.kind = kind;
    place.dest = std::move(dest);
    place.rank = kBaseRank;
    place.origin = built_in(reason);
    return place;
}

Place base_tree(std::string dest, std::string source, const char* reason) {
    Place place = base(Place::Kind::host_tree, std::move(dest), reason);
    place.source = std::move(source);
    return place;
}

Place base_link(std::string dest, std::string target, const char* reason) {
    Place place = base(Place::Kind::link, std::move(dest), reason);
    place.source = std::move(target);
    return place;
}

/// Whether a top-level link leads, by its words alone, into one of the system's directories ("usr/bin").
bool leads_into_system(const SystemEntry& entry, const std::vector<SystemEntry>& all) {
    const auto names = paths::components(entry.link_target);
    if (names.size() < 2 || std::ranges::find(names, "..") != names.end() || paths::parent(entry.path) != "/") {
        return false;
    }
    return std::ranges::any_of(
        all, [&](const SystemEntry& other) { return other.link_target.empty() && other.path == "/" + names.front(); });
}

/// A system directory that is a link to somewhere else: /opt -> /data/opt.
void put_moved_entry(FilesystemContext& context, const SystemEntry& entry) {
    const PathFact& fact = context.facts.look_up(entry.path);
    if (fact.kind == PathFact::Kind::absent) {
        return; // a link to nothing stays one
    }
    for (const WalkedLink& link : fact.links) {
        context.tree.put_link(link, built_in("system directories"));
    }
    const Place* owner = context.tree.around(fact.real);
    if (owner == nullptr || owner->kind != Place::Kind::host_tree) {
        Place place = base_tree(fact.real, fact.real, "system directories");
        place.is_directory = fact.kind == PathFact::Kind::directory;
        context.tree.put(std::move(place));
    }
}

void put_system(FilesystemContext& context) {
    const auto& entries = context.host.system_entries;
    for (const SystemEntry& entry : entries) {
        context.tree.put(entry.link_target.empty() ? base_tree(entry.path, entry.path, "system directories")
                                                   : base_link(entry.path, entry.link_target, "system directories"));
    }
    for (const SystemEntry& entry : entries) {
        if (!entry.link_target.empty() && !leads_into_system(entry, entries)) {
            put_moved_entry(context, entry);
        }
    }
}

void put_proc(FilesystemContext& context) {
    if (context.namespaces.pid) {
        context.tree.put(base(Place::Kind::proc, "/proc", "/proc"));
        return;
    }
    Place place = base_tree("/proc", "/proc", "/proc of the shared pid namespace");
    place.writable = true; // as its own /proc is: a process may write its own oom_score_adj
    context.tree.put(std::move(place));
}

void put_shared_memory(FilesystemContext& context) {
    if (!context.namespaces.ipc) {
        const PathFact& fact = context.facts.look_up("/dev/shm");
        if (fact.kind == PathFact::Kind::directory) {
            Place place = base_tree("/dev/shm", fact.real, "/dev/shm of the shared ipc namespace");
            place.writable = true;
            context.tree.put(std::move(place));
            return;
        }
    }
    Place place = base(Place::Kind::private_directory, "/dev/shm", "/dev");
    place.mode = 01777;
    place.writable = true;
    place.optional = true;
    context.tree.put(std::move(place));
}

void put_devices(FilesystemContext& context) {
    const bool over_host = context.tree.at("/") != nullptr || context.root.is_tree();
    context.tree.put(base(over_host ? Place::Kind::private_directory : Place::Kind::directory, "/dev", "/dev"));
    for (const char* name : {"null", "zero", "full", "random", "urandom", "tty"}) {
        const std::string path = paths::join("/dev", name);
        Place place = base_tree(path, path, "/dev");
        place.is_directory = false;
        place.devices = true;
        place.optional = true;
        context.tree.put(std::move(place));
    }
    constexpr std::pair<const char*, const char*> kLinks[] = {{"/dev/fd", "/proc/self/fd"},
                                                              {"/dev/stdin", "/proc/self/fd/0"},
                                                              {"/dev/stdout", "/proc/self/fd/1"},
                                                              {"/dev/stderr", "/proc/self/fd/2"},
                                                              {"/dev/ptmx", "pts/ptmx"}};
    for (const auto& [dest, target] : kLinks) {
        context.tree.put(base_link(dest, target, "/dev"));
    }
    Place pts = base(Place::Kind::devpts, "/dev/pts", "/dev");
    pts.optional = true;
    context.tree.put(std::move(pts));
    put_shared_memory(context);
    if (context.root.is_tree() && context.namespaces.ipc) {
        Place queues = base(Place::Kind::mqueue, "/dev/mqueue", "/dev");
        queues.optional = true;
        context.tree.put(std::move(queues));
    }
}

/// A system of its own expects a /sys, as a container has it: read-only, with the interfaces of its own network.
void put_sys(FilesystemContext& context) {
    if (!context.namespaces.net) {
        // The kernel makes no sysfs for a network namespace that is not ours.
        context.tree.put(base_tree("/sys", "/sys", "/sys of the shared net namespace"));
        return;
    }
    context.tree.put(base(Place::Kind::sysfs, "/sys", "/sys"));
    if (context.namespaces.cgroup) {
        context.tree.put(base(Place::Kind::cgroups, "/sys/fs/cgroup", "/sys"));
    }
}

} // namespace

void put_base(FilesystemContext& context) {
    const bool host_view = one_of(context.profile.filesystem.root, kRoots) == "host";
    if (host_view && context.tree.at("/") == nullptr) {
        put_system(context);
    }
    put_proc(context);
    put_devices(context);
    if (context.root.is_tree()) {
        put_sys(context);
    }
}

void put_linked_system_files(FilesystemContext& context) {
    const Place* etc = context.tree.at("/etc");
    if (etc == nullptr || etc->kind != Place::Kind::host_tree) {
        return;
    }
    std::vector<std::string> files{"/etc/localtime"};
    if (!context.namespaces.net) {
        files.insert(files.end(), {"/etc/resolv.conf", "/etc/hosts", "/etc/nsswitch.conf"});
    }
    const Origin origin = built_in("system files");
    for (const std::string& file : files) {
        const PathFact& fact = context.facts.look_up(file);
        const Place* owner = context.tree.around(fact.real);
        const bool shown = owner != nullptr && owner->kind != Place::Kind::private_directory;
        if (fact.kind != PathFact::Kind::file || fact.links.empty() || shown) {
            continue;
        }
        for (const WalkedLink& link : fact.links) {
            context.tree.put_link(link, origin);
        }
        Place place = base_tree(fact.real, fact.real, "system files");
        place.is_directory = false;
        context.tree.put(std::move(place));
    }
    // Programs of all kinds still say /var/run.
    const Place* run = context.tree.around("/run");
    const PathFact& var_run = context.facts.look_up("/var/run");
    if (run != nullptr && var_run.real == "/run") {
        for (const WalkedLink& link : var_run.links) {
            context.tree.put_link(link, origin);
        }
    }
}

} // namespace sandbox
