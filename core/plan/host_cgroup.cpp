#include "core/plan/host_cgroup.hpp"

#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <array>
#include <filesystem>
#include <string_view>

#include "core/base/file.hpp"
#include "core/plan/paths.hpp"

namespace sandbox::host {

namespace {

constexpr const char* kMount = "/sys/fs/cgroup";

CgroupFacts::Hierarchy hierarchy() {
    using Hierarchy = CgroupFacts::Hierarchy;
    struct statfs mounted {};
    if (::statfs(kMount, &mounted) < 0) {
        return Hierarchy::none;
    }
    if (mounted.f_type == CGROUP2_SUPER_MAGIC) {
        return Hierarchy::unified;
    }
    if (::statfs("/sys/fs/cgroup/unified", &mounted) == 0 && mounted.f_type == CGROUP2_SUPER_MAGIC) {
        return Hierarchy::hybrid;
    }
    // cgroup v1 is a tmpfs with a mount for each controller; in a container they may stand anywhere.
    return read_small_file("/proc/self/cgroup").find(":/") == std::string::npos ? Hierarchy::none
           : ::access("/sys/fs/cgroup/memory", F_OK) == 0 || ::access("/sys/fs/cgroup/systemd", F_OK) == 0
               ? Hierarchy::legacy
               : Hierarchy::none;
}

/// systemd marks what it delegates and then leaves alone: systemd.resource-control(5), Delegate=.
bool is_marked(const std::string& directory) {
    std::array<char, 8> value{};
    return ::getxattr(directory.c_str(), "user.delegate", value.data(), value.size()) == 1 && value[0] == '1';
}

/// Whether the caller may make cgroups in `directory`, and no systemd that did not give it away manages it.
bool is_delegated(const std::string& directory) {
    for (const char* name : {"", "cgroup.procs", "cgroup.subtree_control"}) {
        if (::access(paths::join(directory, name).c_str(), W_OK) < 0) {
            return false;
        }
    }
    if (::access("/run/systemd/system", F_OK) < 0) {
        return true;
    }
    for (std::string above = directory; above != kMount; above = paths::parent(above)) {
        if (is_marked(above)) {
            return true;
        }
        // What the user's manager was given is its own; of its units, those that ask for it are given away in turn.
        if (above.ends_with(".service") || above.ends_with(".scope")) {
            return false;
        }
    }
    return false;
}

/// systemd takes process numbers as its own namespace has them: where ours is another, it would move strangers.
bool sees_systemd() {
    constexpr ino_t kInitial = 0xEFFFFFFC; // PROC_PID_INIT_INO
    struct stat status {};
    const bool is_initial = ::stat("/proc/self/ns/pid", &status) == 0 && status.st_ino == kInitial;
    return ::access("/run/systemd/system", F_OK) == 0 && (is_initial || read_line("/proc/1/comm") == "systemd");
}

bool is_own_socket(const std::string& path, std::uint32_t uid) {
    struct stat status {};
    return ::stat(path.c_str(), &status) == 0 && S_ISSOCK(status.st_mode) && status.st_uid == uid;
}

/// The user's bus: what the session names, then the places where his systemd puts it, for cron has no variables. A
/// socket of another user's, the system's bus among them, is none; nor is one that has no path to tell whose it is.
std::string find_bus(const Host& host) {
    constexpr std::string_view kPath = "unix:path=";
    std::vector<std::string> paths;
    const auto named = host.environment.find("DBUS_SESSION_BUS_ADDRESS");
    if (named != host.environment.end() && named->second.starts_with(kPath)) {
        const std::string address = named->second.substr(kPath.size());
        paths.push_back(address.substr(0, address.find_first_of(",;")));
    }
    paths.push_back(paths::join(host.runtime_dir, "bus"));
    paths.push_back("/run/user/" + std::to_string(host.uid) + "/bus");
    for (const std::string& path : paths) {
        // Root's own bus and the system's have the same owner.
        std::error_code error;
        const std::string real = std::filesystem::canonical(path, error);
        const bool is_systems = real.starts_with("/run/dbus/");
        if (!is_systems && path.find('%') == std::string::npos && is_own_socket(path, host.uid)) {
            return std::string(kPath) + path;
        }
    }
    return {};
}

} // namespace

std::string cgroup_directory(std::string_view proc_cgroup) {
    constexpr std::string_view kPrefix = "0::/";
    const std::size_t start = proc_cgroup.starts_with(kPrefix) ? 0 : proc_cgroup.find("\n0::/") + 1;
    std::string_view path = proc_cgroup.substr(start, proc_cgroup.find('\n', start) - start);
    if (!path.starts_with(kPrefix)) {
        return {};
    }
    path.remove_prefix(kPrefix.size() - 1);
    if (path.starts_with("/..")) {
        return {};
    }
    std::string directory = kMount;
    directory += path == "/" ? "" : path;
    return directory;
}

CgroupFacts look_at_cgroups(const Host& host) {
    CgroupFacts facts;
    facts.hierarchy = hierarchy();
    facts.systemd_runs = sees_systemd();
    if (facts.hierarchy != CgroupFacts::Hierarchy::unified) {
        return facts;
    }
    struct statvfs mounted {};
    facts.read_only = ::statvfs(kMount, &mounted) == 0 && (mounted.f_flag & ST_RDONLY) != 0;
    const std::string uid = std::to_string(host.uid);
    facts.has_user_manager = is_own_socket("/run/user/" + uid + "/systemd/private", host.uid);
    facts.bus = facts.systemd_runs ? find_bus(host) : std::string();
    facts.manager_controllers =
        read_line(paths::join(kMount, "user.slice/user-" + uid + ".slice/user@" + uid + ".service/cgroup.controllers"));
    facts.own = cgroup_directory(read_small_file("/proc/self/cgroup"));
    if (::access(facts.own.c_str(), F_OK) < 0) {
        facts.own.clear();
    }
    facts.own_is_delegated = !facts.own.empty() && !facts.read_only && is_delegated(facts.own);
    facts.own_controllers = facts.own.empty() ? "" : read_line(paths::join(facts.own, "cgroup.controllers"));
    return facts;
}

std::string find_disk(const std::string& path) {
    struct stat status {};
    if (::stat(path.c_str(), &status) < 0) {
        return {};
    }
    const dev_t device = S_ISBLK(status.st_mode) ? status.st_rdev : status.st_dev;
    const std::string number = std::to_string(major(device)) + ":" + std::to_string(minor(device));
    const std::string entry = "/sys/dev/block/" + number;
    if (::access(entry.c_str(), F_OK) < 0) {
        return {};
    }
    return ::access((entry + "/partition").c_str(), F_OK) == 0 ? read_line(entry + "/../dev") : number;
}

} // namespace sandbox::host
