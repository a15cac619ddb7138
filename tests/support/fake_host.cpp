#include "tests/support/fake_host.hpp"

#include <fnmatch.h>

#include <algorithm>
#include <cerrno>
#include <vector>

#include "core/plan/paths.hpp"

namespace sandbox::test {

CgroupFacts workstation_cgroups() {
    return {.hierarchy = CgroupFacts::Hierarchy::unified,
            .systemd_runs = true,
            .has_user_manager = true,
            .bus = "unix:path=/run/user/1000/bus",
            .manager_controllers = "cpu memory pids",
            .own = "/sys/fs/cgroup/user.slice/user-1000.slice/session-2.scope",
            .own_controllers = "cpu memory pids"};
}

FakeHost::FakeHost() : files_(std::make_shared<Files>()) {
    for (const char* path : {"/dev/shm", "/dev/pts", "/etc", "/home/dev/project/src", "/home/dev/.ssh", "/opt", "/proc",
                             "/run", "/sys", "/tmp", "/usr/bin", "/usr/lib", "/usr/sbin", "/var/tmp", "/srv/data"}) {
        directory(path);
    }
    for (const char* name : {"null", "zero", "full", "random", "urandom", "tty", "kvm"}) {
        device(paths::join("/dev", name));
    }
    file("/home/dev/.ssh/id_ed25519");
    file("/etc/passwd");
    for (const char* name : {"bin", "lib", "sbin"}) {
        link(paths::join("/", name), paths::join("usr", name));
    }
    link("/var/run", "/run");

    host.uid = 1000;
    host.gid = 1000;
    host.user_name = "dev";
    host.groups = {1000, 27, 998};
    host.subuids = {{100000, 65536}};
    host.subgids = {{100000, 65536}};
    host.newuidmap = "/usr/bin/newuidmap";
    host.newgidmap = "/usr/bin/newgidmap";
    host.home = "/home/dev";
    host.cwd = "/home/dev/project";
    host.runtime_dir = "/run/user/1000";
    host.config_dir = "/home/dev/.config/sandbox";
    host.data_dir = "/home/dev/.local/share/sandbox";
    for (const char* name : {"resolv.conf", "hosts", "hostname"}) {
        file(paths::join("/etc", name));
    }
    network->slirp4netns = "/usr/bin/slirp4netns";
    network->pasta = "/usr/bin/pasta";
    network->nft = "/usr/sbin/nft";
    network->dnsmasq = "/usr/sbin/dnsmasq";
    network->own_addresses = {"127.0.0.1", "203.0.113.7", "2001:db8:7::7"};
    network->has_ipv6 = true;
    network->resolv_conf = "nameserver 192.0.2.53\n";
    directory(host.runtime_dir);
    directory(host.config_dir + "/profiles");
    directory(host.data_dir);
    host.environment = {
        {"PATH", "/usr/bin:/bin"}, {"HOME", "/home/dev"}, {"LANG", "C.UTF-8"}, {"SECRET_TOKEN", "s3cret"}};
    host.system_entries = {{"/bin", "usr/bin"}, {"/etc", {}},          {"/lib", "usr/lib"},
                           {"/opt", {}},        {"/sbin", "usr/sbin"}, {"/usr", {}}};

    image->id = "sha256:1234";
    image->layers = {"/home/dev/.local/share/sandbox/layers/low/root",
                     "/home/dev/.local/share/sandbox/layers/high/root"};
    image->config.environment = {"PATH=/opt/app/bin:/usr/bin", "APP=web"};
    image->config.command = {"serve", "--all"};

    host.look_at_network = [facts = network] { return *facts; };
    const std::shared_ptr<Files> files = files_;
    host.look_up = [files](const std::string& path) { return look_up(*files, path); };
    host.may_write = [files](const std::string& directory) {
        return std::ranges::any_of(files->writable,
                                   [&](const std::string& top) { return paths::is_within(directory, top); });
    };
    host.expand_glob = [files](const std::string& pattern) {
        std::vector<std::string> found;
        for (const auto& [path, node] : files->nodes) {
            if (fnmatch(pattern.c_str(), path.c_str(), FNM_PATHNAME | FNM_PERIOD) == 0) {
                found.push_back(path);
            }
        }
        return found;
    };
    host.look_at_cgroups = [](const Host& /*unused*/) { return workstation_cgroups(); };
    host.mounts_below = [](const std::string& path) {
        return path == "/srv" ? std::vector<std::string>{"/srv/data"} : std::vector<std::string>{};
    };
    host.look_at_overlays = [] { return OverlayFacts{"/usr/bin/fuse-overlayfs", 0}; };
    host.find_image = [found = image](const std::string& reference) {
        Image named = *found;
        named.reference = reference;
        return named;
    };
    host.find_disk = [](const std::string& path) { return path == "/srv/data" ? "8:0" : ""; };
}

ListDirectory FakeHost::list_directory() const {
    return [files = files_](const std::string& path) -> std::optional<std::vector<DirectoryEntry>> {
        if (files->locked.contains(path)) {
            return std::nullopt;
        }
        std::vector<DirectoryEntry> entries;
        for (const auto& [name, node] : files->nodes) {
            if (paths::parent(name) == path) {
                const bool is_socket = node.kind == PathFact::Kind::other && node.link_target.empty();
                entries.push_back({name.substr(name.rfind('/') + 1), is_socket});
            }
        }
        return entries;
    };
}

void FakeHost::add(const std::string& path, Node node) {
    for (std::string directory = paths::parent(path); directory != "/"; directory = paths::parent(directory)) {
        files_->nodes.try_emplace(directory, Node{});
    }
    files_->nodes.insert_or_assign(path, std::move(node));
}

void FakeHost::bind(const std::string& path, const std::string& of) {
    std::map<std::string, Node> copies;
    for (auto& [name, node] : files_->nodes) {
        if (paths::is_within(name, of)) {
            node.identity = {.device = 1, .inode = std::hash<std::string>{}(name)};
            copies.emplace(paths::join(path, paths::behind(name, of)), node);
        }
    }
    for (auto& [name, node] : copies) {
        add(name, node);
    }
}

void FakeHost::link(const std::string& path, const std::string& target) {
    remove(path);
    add(path, {PathFact::Kind::other, target});
}

void FakeHost::remove(const std::string& path) {
    std::erase_if(files_->nodes, [&](const auto& node) { return paths::is_within(node.first, path); });
}

void FakeHost::lock(const std::string& path) {
    files_->locked.insert(path);
}

void FakeHost::only_writable(std::set<std::string> directories) {
    files_->writable = std::move(directories);
}

PathFact FakeHost::look_up(const Files& files, const std::string& path) {
    PathFact fact;
    std::vector<std::string> rest = paths::components(path);
    std::string here = "/";
    fact.kind = PathFact::Kind::directory;
    while (!rest.empty()) {
        const std::string name = rest.front();
        rest.erase(rest.begin());
        if (name == "..") {
            here = paths::parent(here);
            fact.identity = {};
            continue;
        }
        const std::string next = paths::join(here, name);
        const auto node = files.nodes.find(next);
        const bool locked = files.locked.contains(here);
        if (locked || node == files.nodes.end() || fact.links.size() > 40) {
            fact.kind = PathFact::Kind::absent;
            fact.identity = {};
            fact.error = locked ? EACCES : fact.links.size() > 40 ? ELOOP : ENOENT;
            here = next;
            for (const std::string& more : rest) {
                here = paths::join(here, more);
            }
            break;
        }
        if (!node->second.link_target.empty()) {
            fact.links.push_back({next, node->second.link_target});
            const auto target = paths::components(node->second.link_target);
            rest.insert(rest.begin(), target.begin(), target.end());
            here = node->second.link_target.starts_with('/') ? "/" : here;
            continue;
        }
        here = next;
        fact.kind = node->second.kind;
        fact.identity = node->second.identity;
    }
    fact.real = here;
    return fact;
}

Item in_file(std::string text, std::string file, std::string key, std::uint32_t line) {
    Origin origin;
    origin.kind = Origin::Kind::file;
    origin.source = std::move(file);
    origin.line = line;
    origin.column = 3;
    origin.key = std::move(key);
    return {std::move(text), std::move(origin)};
}

Item by_option(std::string option, std::string text) {
    Origin origin;
    origin.kind = Origin::Kind::option;
    origin.source = option + " " + text;
    return {std::move(text), std::move(origin)};
}

Profile test_profile() {
    Profile profile;
    profile.name = "test";
    profile.lineage = {"/usr/share/sandbox/profiles/test.toml"};
    const std::string file = profile.lineage.front();
    for (const char* path : {"/tmp", "/var/tmp", "/run", "$HOME"}) {
        profile.filesystem.tmpfs.items.push_back(in_file(path, file, "filesystem.tmpfs", 9));
    }
    profile.seccomp.default_action.set("allow", in_file("", file, "seccomp.default", 20).origin);
    return profile;
}

} // namespace sandbox::test
