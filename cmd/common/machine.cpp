#include "cmd/common/machine.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/magic.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <sys/mount.h>
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
#include "core/base/fd.hpp"

namespace sandbox {

namespace {

constexpr std::array kSysctls = {
    "user.max_user_namespaces",   "user.max_mnt_namespaces",          "user.max_pid_namespaces",
    "user.max_net_namespaces",    "user.max_ipc_namespaces",          "user.max_uts_namespaces",
    "user.max_cgroup_namespaces", "kernel.unprivileged_userns_clone", "kernel.apparmor_restrict_unprivileged_userns",
};

constexpr uid_t kOverflowUid = 65534; // what an owner without an id here looks like: user_namespaces(7)

/// The text of a small file of /proc; empty where it cannot be read.
std::string read_small(const std::string& path) {
    const Fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    std::string text;
    std::array<char, 4096> buffer{};
    while (file) {
        const ssize_t count = ::read(file.get(), buffer.data(), buffer.size());
        if (count <= 0) {
            break;
        }
        text.append(buffer.data(), static_cast<std::size_t>(count));
    }
    return text;
}

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
        std::string path = "/proc/sys/" + name;
        std::replace(path.begin() + 10, path.end(), '.', '/');
        if (const auto number = read_number(read_small(path))) {
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

/// A call made so that the kernel refuses it before it does anything, with an errno that no filter uses for a refusal:
/// EPERM then means a filter, and ENOSYS a filter or an old kernel.
struct Trial {
    const char* name;
    long (*call)();
    /// The kernel asks for a capability before it looks at anything: only ENOSYS tells something then.
    bool is_privileged = false;
};

constexpr unsigned kWrong = ~0U;
constexpr void* kNowhere = nullptr;

// clang-format off
constexpr Trial kTrials[] = {
    // CLONE_FS with CLONE_NEWUSER is EINVAL: clone(2).
    {"clone", [] { return ::syscall(SYS_clone, CLONE_NEWUSER | CLONE_FS, kNowhere, kNowhere, kNowhere, kNowhere); }},
    {"unshare", [] { return ::syscall(SYS_unshare, kWrong); }},
    {"mount", [] { return ::syscall(SYS_mount, kNowhere, kNowhere, kNowhere, 0UL, kNowhere); }},
    {"openat2", [] { return ::syscall(SYS_openat2, AT_FDCWD, "/", kNowhere, 0UL); }},
    {"open_tree", [] { return ::syscall(SYS_open_tree, -1, "", kWrong); }},
    {"mount_setattr", [] { return ::syscall(SYS_mount_setattr, -1, "", kWrong, kNowhere, 0UL); }},
    {"fsopen", [] { return ::syscall(SYS_fsopen, kNowhere, kWrong); }, true},
    {"fsconfig", [] { return ::syscall(SYS_fsconfig, -1, kWrong, kNowhere, kNowhere, 0); }},
    {"fsmount", [] { return ::syscall(SYS_fsmount, -1, kWrong, kWrong); }, true},
    {"move_mount", [] { return ::syscall(SYS_move_mount, -1, kNowhere, -1, kNowhere, kWrong); }, true},
    {"pivot_root", [] { return ::syscall(SYS_pivot_root, kNowhere, kNowhere); }, true},
    {"close_range", [] { return ::syscall(SYS_close_range, 1U, 0U, 0U); }},
    {"pidfd_open", [] { return ::syscall(SYS_pidfd_open, -1, 0U); }},
    {"seccomp", [] { return ::syscall(SYS_seccomp, kWrong, 0U, kNowhere); }},
    {"keyctl", [] { return ::syscall(SYS_keyctl, 0x7fffffff, 0UL, 0UL, 0UL, 0UL); }},
};
// clang-format on

CallState state_of(const Trial& trial, long result, int error_number) {
    if (result < 0 && error_number == ENOSYS) {
        return CallState::missing;
    }
    const bool refused = result < 0 && (error_number == EPERM || error_number == EACCES);
    return refused && !trial.is_privileged ? CallState::refused_by_filter : CallState::works;
}

/// Tries the calls from `first` on in a child, because a filter may kill who makes them.
/// \return what became known; less than was asked for where the child was killed.
std::vector<CallState> try_calls_from(std::size_t first) {
    int ends[2] = {-1, -1};
    if (::pipe2(ends, O_CLOEXEC) != 0) {
        return {};
    }
    const Fd reader(ends[0]);
    Fd writer(ends[1]);
    const pid_t child = ::fork();
    if (child == 0) {
        for (std::size_t i = first; i < std::size(kTrials); ++i) {
            const long result = kTrials[i].call();
            const CallState state = state_of(kTrials[i], result, errno);
            if (::write(writer.get(), &state, sizeof state) < 0) {
                break;
            }
        }
        ::_exit(0);
    }
    writer.reset();
    std::vector<CallState> states;
    CallState state = CallState::works;
    while (child > 0 && ::read(reader.get(), &state, sizeof state) == static_cast<ssize_t>(sizeof state)) {
        states.push_back(state);
    }
    if (child > 0) {
        ::waitpid(child, nullptr, 0);
    }
    return states;
}

std::map<std::string, CallState> try_calls() {
    std::map<std::string, CallState> calls;
    std::size_t next = 0;
    while (next < std::size(kTrials)) {
        const std::vector<CallState> states = try_calls_from(next);
        for (const CallState state : states) {
            calls[kTrials[next++].name] = state;
        }
        if (states.empty() && next == 0) {
            break; // not even a child can be made; nothing is known
        }
        if (next < std::size(kTrials)) {
            calls[kTrials[next++].name] = CallState::refused_by_filter; // it killed the child
        }
    }
    return calls;
}

std::string read_apparmor_profile() {
    std::string label = read_small("/proc/self/attr/apparmor/current");
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
    const std::string cgroups = read_small("/proc/self/cgroup");
    std::string_view rest = cgroups;
    while (!rest.empty()) {
        const std::string_view line = next_line(rest);
        if (!line.starts_with("0::/")) {
            continue;
        }
        for (std::string path(line.substr(3)); path.size() > 1; path.erase(path.rfind('/'))) {
            const auto most = read_number(read_small("/sys/fs/cgroup" + path + "/pids.max"));
            const auto now = read_number(read_small("/sys/fs/cgroup" + path + "/pids.current"));
            if (most && now && *now >= *most) {
                return path;
            }
        }
    }
    return "";
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

Machine read_machine(const Host& host) {
    Machine machine;
    machine.executable = sandbox_executable();
    utsname names{};
    ::uname(&names);
    machine.kernel_release = names.release;
    std::tie(machine.kernel_major, machine.kernel_minor) = kernel_version(names.release);

    struct statfs proc {};
    machine.proc_is_mounted = ::statfs("/proc", &proc) == 0 && proc.f_type == PROC_SUPER_MAGIC;
    const std::string status = read_small("/proc/self/status");
    machine.no_new_privs = status_number(status, "NoNewPrivs:") != 0;
    machine.filtered = status_number(status, "Seccomp:") == SECCOMP_MODE_FILTER;
    machine.apparmor_profile = read_apparmor_profile();
    const std::string mountinfo = read_small("/proc/self/mountinfo");
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
    machine.pids_cgroup = full_pids_cgroup();
    return machine;
}

} // namespace sandbox
