#include "cmd/common/machine.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/magic.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <climits>
#include <cstring>
#include <memory>
#include <tuple>

#include <fmt/format.h>

#include "cmd/common/executable.hpp"
#include "cmd/common/trial_calls.hpp"
#include "core/base/child_process.hpp"
#include "core/base/error.hpp"
#include "core/base/file.hpp"
#include "core/plan/host_paths.hpp"
#include "core/seccomp.hpp"
#include "netns/cable.hpp"

namespace sandbox {

namespace {

constexpr std::array kSysctls = {
    "user.max_user_namespaces",
    "user.max_mnt_namespaces",
    "user.max_pid_namespaces",
    "user.max_net_namespaces",
    "user.max_ipc_namespaces",
    "user.max_uts_namespaces",
    "user.max_cgroup_namespaces",
    "kernel.unprivileged_userns_clone",
    "kernel.apparmor_restrict_unprivileged_userns",
    "fs.nr_open",
};

constexpr uid_t kOverflowUid = 65534; // what an owner without an id here looks like: user_namespaces(7)

std::string_view next_line(std::string_view& text) {
    const std::size_t end = text.find('\n');
    const std::string_view line = text.substr(0, end);
    text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
    return line;
}

/// The field `index` (from 0) of a line whose fields are separated by single spaces.
std::string_view field(std::string_view line, int index) {
    for (; index > 0 && line.find(' ') != std::string_view::npos; --index) {
        line.remove_prefix(line.find(' ') + 1);
    }
    return line.substr(0, line.find(' '));
}

std::optional<std::int64_t> read_number(std::string_view text) {
    std::int64_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    return error == std::errc{} ? std::optional(number) : std::nullopt;
}

std::map<std::string, std::int64_t> read_sysctls() {
    std::map<std::string, std::int64_t> values;
    for (const std::string name : kSysctls) {
        std::string below = name;
        std::ranges::replace(below, '.', '/');
        const std::string path = "/proc/sys/" + below;
        if (const auto number = read_number(read_small_file(path))) {
            values[name] = *number;
        }
    }
    return values;
}

/// The number behind "NAME:\t" in /proc/self/status.
std::int64_t status_number(std::string_view status, std::string_view name) {
    while (!status.empty()) {
        std::string_view line = next_line(status);
        if (line.starts_with(name)) {
            line.remove_prefix(std::min(line.size(), name.size() + 1));
            return read_number(line).value_or(0);
        }
    }
    return 0;
}

/// Whether the file carries `capability` as a permitted file capability: capabilities(7), vfs_cap_data.
bool has_file_capability(const std::string& path, int capability) {
    vfs_ns_cap_data data{};
    const ssize_t size = ::getxattr(path.c_str(), "security.capability", &data, sizeof data);
    return size >= static_cast<ssize_t>(XATTR_CAPS_SZ_1) && (data.data[0].permitted & (1U << capability)) != 0;
}

HelperFile read_helper(const std::string& path, int capability) {
    HelperFile helper;
    struct stat status {};
    if (path.empty() || ::stat(path.c_str(), &status) != 0) {
        return helper;
    }
    helper.path = path;
    helper.is_setuid = status.st_uid == 0 && (status.st_mode & S_ISUID) != 0;
    helper.owner_unmapped = status.st_uid == kOverflowUid && (status.st_mode & S_ISUID) != 0;
    helper.privileged = helper.is_setuid || has_file_capability(path, capability);
    struct statvfs file_system {};
    helper.on_nosuid_mount = ::statvfs(path.c_str(), &file_system) == 0 && (file_system.f_flag & ST_NOSUID) != 0;
    return helper;
}

std::string read_apparmor_profile() {
    std::string label = read_small_file("/proc/self/attr/apparmor/current");
    label.erase(std::min(label.find('\n'), label.size()));
    return label.starts_with("unconfined") ? "" : label;
}

std::uint64_t count_entries(const std::string& directory) {
    const std::unique_ptr<DIR, int (*)(DIR*)> stream(::opendir(directory.c_str()), ::closedir);
    std::uint64_t count = 0;
    while (const dirent* entry = stream ? ::readdir(stream.get()) : nullptr) {
        count += entry->d_name[0] == '.' ? 0 : 1;
    }
    return count;
}

/// The threads of processes that `uid` owns, as far as /proc shows them.
std::uint64_t count_threads(uid_t uid) {
    const std::unique_ptr<DIR, int (*)(DIR*)> stream(::opendir("/proc"), ::closedir);
    std::uint64_t count = 0;
    while (const dirent* entry = stream ? ::readdir(stream.get()) : nullptr) {
        const std::string path = fmt::format("/proc/{}", entry->d_name);
        struct stat status {};
        if (entry->d_name[0] >= '1' && entry->d_name[0] <= '9' && ::stat(path.c_str(), &status) == 0 &&
            status.st_uid == uid) {
            count += count_entries(path + "/task");
        }
    }
    return count;
}

/// The unified cgroup of this process (or an ancestor of it) whose pids.max is reached; empty where none is.
std::string full_pids_cgroup() {
    const std::string cgroups = read_small_file("/proc/self/cgroup");
    std::string_view rest = cgroups;
    while (!rest.empty()) {
        const std::string_view line = next_line(rest);
        if (!line.starts_with("0::/")) {
            continue;
        }
        for (std::string path(line.substr(3)); path.size() > 1; path.erase(path.rfind('/'))) {
            const auto most = read_number(read_small_file("/sys/fs/cgroup" + path + "/pids.max"));
            const auto now = read_number(read_small_file("/sys/fs/cgroup" + path + "/pids.current"));
            if (most && now && *now >= *most) {
                return path;
            }
        }
    }
    return "";
}

/// Sets a few rules like those of a list, in a network namespace that nobody else sees.
std::string try_rules(const std::string& nft) {
    const std::string unshare = host::find_helper("unshare");
    if (nft.empty() || unshare.empty()) {
        return "";
    }
    constexpr const char* kRules = "add table inet t; add set inet t s { type ipv4_addr; flags interval; }; "
                                   "add chain inet t c { type filter hook output priority 0; }; "
                                   "add rule inet t c ip daddr @s ct state established accept; "
                                   "add rule inet t c reject with icmpx admin-prohibited";
    try {
        const HelperResult result = Helper({unshare, "--user", "--map-root-user", "--net", nft, kRules}).finish();
        return WIFEXITED(result.status) && WEXITSTATUS(result.status) == 0 ? "" : last_words(result);
    } catch (const Error&) {
        return ""; // no process to be had: the other checks say why
    }
}

} // namespace

std::pair<int, int> kernel_version(std::string_view release) {
    int major = 0;
    int minor = 0;
    const char* end = release.data() + release.size();
    const auto [dot, error] = std::from_chars(release.data(), end, major);
    if (error == std::errc{} && dot != end && *dot == '.') {
        std::from_chars(dot + 1, end, minor);
    }
    return {major, minor};
}

std::vector<std::string> covered_proc_paths(std::string_view mountinfo) {
    std::vector<std::string> paths;
    while (!mountinfo.empty()) {
        const std::string_view place = field(next_line(mountinfo), 4);
        if (place == "/proc") {
            paths.clear(); // a later mount on /proc hides what was mounted below the earlier one
        } else if (place.starts_with("/proc/") && !place.starts_with("/proc/sys/fs/binfmt_misc")) {
            paths.emplace_back(place);
        }
    }
    return paths;
}

bool shows_chroot(std::string_view mountinfo) {
    bool any = false;
    while (!mountinfo.empty()) {
        if (field(next_line(mountinfo), 4) == "/") {
            return false;
        }
        any = true;
    }
    return any;
}

namespace {

/// In a child, which the filter would stay with. \return errno; 0 where there is a listener.
int try_listener() {
    const pid_t child = ::fork();
    if (child == 0) {
        const seccomp::Program allowing{.instructions = {BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)}};
        ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
        ::_exit(seccomp::load_reporting(allowing) < 0 ? errno : 0);
    }
    int status = 0;
    return child > 0 && ::waitpid(child, &status, 0) == child && WIFEXITED(status) ? WEXITSTATUS(status) : 0;
}

} // namespace

Machine read_machine(const Host& host) {
    Machine machine;
    machine.executable = sandbox_executable();
    utsname names{};
    ::uname(&names);
    machine.kernel_release = names.release;
    std::tie(machine.kernel_major, machine.kernel_minor) = kernel_version(names.release);

    struct statfs proc {};
    machine.proc_is_mounted = ::statfs("/proc", &proc) == 0 && proc.f_type == PROC_SUPER_MAGIC;
    const std::string status = read_small_file("/proc/self/status");
    machine.no_new_privs = status_number(status, "NoNewPrivs:") != 0;
    machine.filtered = status_number(status, "Seccomp:") == SECCOMP_MODE_FILTER;
    machine.apparmor_profile = read_apparmor_profile();
    const std::string mountinfo = read_small_file("/proc/self/mountinfo");
    machine.covered_proc_paths = covered_proc_paths(mountinfo);
    machine.in_chroot = shows_chroot(mountinfo);
    machine.sysctls = read_sysctls();

    machine.newuidmap = read_helper(host.newuidmap, CAP_SETUID);
    machine.newgidmap = read_helper(host.newgidmap, CAP_SETGID);
    machine.calls = try_calls();

    rlimit limit{};
    if (::getrlimit(RLIMIT_NPROC, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY) {
        machine.process_limit = limit.rlim_cur;
        machine.process_count = count_threads(host.uid);
    }
    machine.rules_obstacle = try_rules(host.look_at_network().nft);
    IdsPlan self;
    self.uid_map = {{.inside = 0, .outside = host.uid, .count = 1}};
    self.gid_map = {{.inside = 0, .outside = host.gid, .count = 1}};
    machine.listener_error = try_listener();
    machine.bandwidth_obstacle = netns::find_bandwidth_obstacle(self);
    machine.cgroups = host.look_at_cgroups(host);
    machine.pids_cgroup = full_pids_cgroup();
    return machine;
}

} // namespace sandbox
