// The machine's rules that can stop a start, as a value: read only after a failure and for `sandboxctl doctor`.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cmd/common/trial_calls.hpp"
#include "core/plan/host.hpp"

namespace sandbox {

/// One of newuidmap(1) and newgidmap(1) as it is installed.
struct HelperFile {
    std::string path;        ///< empty: not installed
    bool privileged = false; ///< setuid root, or a file capability that can set ids
    bool is_setuid = false;
    bool owner_unmapped = false;  ///< setuid to a user who has no id in the user namespace around us: no privilege
    bool on_nosuid_mount = false; ///< its file system gives no privilege to anybody
};

/// The facts. A test makes them up.
struct Machine {
    std::string executable;     ///< the installed `sandbox`: absolute path; empty where it is not known
    std::string kernel_release; ///< "6.1.0-18-amd64"
    int kernel_major = 0;
    int kernel_minor = 0;
    bool proc_is_mounted = true;
    bool in_chroot = false;
    bool no_new_privs = false;                   ///< of this process: an outer sandbox set it
    bool filtered = false;                       ///< a seccomp filter of somebody else's is in force
    std::string apparmor_profile;                ///< that confines this process; empty: none
    std::map<std::string, std::int64_t> sysctls; ///< "user.max_user_namespaces"; what is not there has no entry
    HelperFile newuidmap;
    HelperFile newgidmap;
    std::vector<std::string> covered_proc_paths; ///< what is mounted below /proc: "/proc/kcore"
    std::map<std::string, CallState> calls;      ///< "unshare", "openat2" ...
    std::optional<std::uint64_t> process_limit;  ///< RLIMIT_NPROC; nothing: unlimited
    std::uint64_t process_count = 0;             ///< threads of the caller's uid, counted only where there is a limit
    /// Why nft(8) cannot set the rules of a network's list; empty: it can, or is not installed.
    std::string rules_obstacle;
    std::string bandwidth_obstacle; ///< why the kernel cannot hold a limit of the network; empty: it can
    int listener_error = 0; ///< errno of the kernel for a filter with a listener: seccomp_unotify(2); 0: it has one
    CgroupFacts cgroups;
    std::string pids_cgroup; ///< the caller's cgroup where its pids.max is reached; empty: it is not
};

/// Reads the facts. Nothing is changed; the only namespaces are those of two trials, and end with them.
[[nodiscard]] Machine read_machine(const Host& host);

/// "6.1.0-18-amd64" -> 6, 1; zeros where it is no release.
[[nodiscard]] std::pair<int, int> kernel_version(std::string_view release);

/// The mount points below /proc that mountinfo lists (proc_pid_mountinfo(5)), the last mount on /proc counting.
[[nodiscard]] std::vector<std::string> covered_proc_paths(std::string_view mountinfo);

/// Whether mountinfo shows no mount at "/": the process stands in a chroot(2) on a directory that is no mount point.
[[nodiscard]] bool shows_chroot(std::string_view mountinfo);

} // namespace sandbox
