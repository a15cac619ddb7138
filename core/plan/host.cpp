#include "core/plan/host.hpp"

#include <sys/resource.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <climits>
#include <memory>

#include "core/base/error.hpp"
#include "core/base/file.hpp"
#include "core/plan/host_cgroup.hpp"
#include "core/plan/host_image.hpp"
#include "core/plan/host_network.hpp"
#include "core/plan/host_paths.hpp"
#include "core/plan/host_users.hpp"
#include "core/plan/limits_plan.hpp"
#include "core/plan/paths.hpp"

extern char** environ; // NOLINT: the C library's

namespace sandbox {

namespace {

std::vector<std::uint32_t> own_groups() {
    std::array<gid_t, 64> few{};
    int count = ::getgroups(few.size(), few.data());
    if (count >= 0) {
        return {few.begin(), few.begin() + count};
    }
    std::vector<std::uint32_t> many(static_cast<std::size_t>(std::max(0, ::getgroups(0, nullptr))));
    count = ::getgroups(static_cast<int>(many.size()), many.data());
    many.resize(static_cast<std::size_t>(std::max(0, count)));
    return many;
}

std::map<std::string, std::string> own_environment() {
    std::map<std::string, std::string> variables;
    for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
        const std::string_view text = *entry;
        const std::size_t equals = text.find('=');
        if (equals != std::string_view::npos && equals != 0) {
            variables.emplace(text.substr(0, equals), text.substr(equals + 1)); // getenv(3): the first one counts
        }
    }
    return variables;
}

std::string current_directory() {
    std::array<char, PATH_MAX> path{};
    // The kernel answers "(unreachable)/..." for a directory outside of our root: getcwd(3).
    return ::getcwd(path.data(), path.size()) != nullptr && path[0] == '/' ? path.data() : "";
}

/// An XDG variable counts only where it is absolute: XDG Base Directory Specification.
std::string directory(const Host& host, const char* variable, std::string fallback) {
    const auto found = host.environment.find(variable);
    const bool good = found != host.environment.end() && found->second.starts_with('/');
    return good ? paths::normal(found->second) : std::move(fallback);
}

void find_caller(Host& host) {
    host.uid = ::getuid();
    host.gid = ::getgid();
    host.groups = own_groups();
    // The initial user namespace maps every id on itself: user_namespaces(7).
    host.is_root_of_initial_user_namespace =
        host.uid == 0 && read_small_file("/proc/self/uid_map").find(" 4294967295\n") != std::string::npos;
    const host::PasswdEntry user = host::find_user(host.uid);
    host.user_name = user.name;
    host.account_home = user.home.starts_with('/') ? paths::normal(user.home) : std::string();
    host.home = directory(host, "HOME", user.home);
    if (!host.home.starts_with('/')) {
        throw Error("cannot find your home directory")
            .cause("HOME is not an absolute path, and uid " + std::to_string(host.uid) +
                   " has no passwd entry with one")
            .fix("HOME=/path/of/it sandbox ...");
    }
}

void find_directories(Host& host) {
    host.runtime_dir = directory(host, "XDG_RUNTIME_DIR", "/run/user/" + std::to_string(host.uid));
    host.config_dir = paths::join(directory(host, "XDG_CONFIG_HOME", paths::join(host.home, ".config")), "sandbox");
    host.data_dir = paths::join(directory(host, "XDG_DATA_HOME", paths::join(host.home, ".local/share")), "sandbox");
    host.cwd = current_directory();
    host.system_entries = host::system_entries();
}

void find_limits(Host& host) {
    for (const KnownLimit& known : known_limits()) {
        rlimit limit{};
        if (::getrlimit(static_cast<__rlimit_resource>(known.resource), &limit) < 0) {
            throw Error(std::string("cannot read your own resource limit ") + quoted(known.name)).kernel(errno);
        }
        host.hard_limits[known.resource] = limit.rlim_max;
    }
}

} // namespace

Host gather_host() {
    Host host;
    host.environment = own_environment();
    find_caller(host);
    find_directories(host);
    host::find_subids(host);
    find_limits(host);
    host.newuidmap = host::find_helper("newuidmap");
    host.newgidmap = host::find_helper("newgidmap");
    host.stdin_is_terminal = ::isatty(STDIN_FILENO) == 1;
    host.stdout_is_terminal = ::isatty(STDOUT_FILENO) == 1;
    host.stderr_is_terminal = ::isatty(STDERR_FILENO) == 1;
    host.look_at_network = host::look_at_network;
    host.look_up = [walker = std::make_shared<host::Walker>()](const std::string& path) {
        return walker->look_up(path);
    };
    host.mounts_below = host::mounts_below;
    host.look_at_overlays = host::look_at_overlays;
    host.find_image = [directory = host.data_dir](const std::string& reference) {
        return find_image(directory, reference);
    };
    host.may_write = host::may_write;
    host.look_at_cgroups = host::look_at_cgroups;
    host.find_disk = host::find_disk;
    host.expand_glob = host::expand_glob;
    return host;
}

} // namespace sandbox
