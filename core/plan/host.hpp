// The machine and the caller as a value: gathered once, handed to make_plan; a test hands in another machine.
#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "core/plan/image.hpp"

namespace sandbox {

/// One more than the greatest id: (uid_t)-1 is none.
constexpr std::uint64_t kIdLimit = std::numeric_limits<std::uint32_t>::max();

/// A resource limit that is none: RLIM_INFINITY.
constexpr std::uint64_t kNoLimit = std::numeric_limits<std::uint64_t>::max();

/// A range of subordinate ids as subuid(5) lists it.
struct IdRange {
    std::uint32_t first = 0;
    std::uint32_t count = 0;

    bool operator==(const IdRange&) const = default;
};

/// A symbolic link that was walked through: its own path (its parents resolved) and the text it holds.
struct WalkedLink {
    std::string path;
    std::string target;

    bool operator==(const WalkedLink&) const = default;
};

/// Which file a path leads to: st_dev and st_ino of stat(2). Two paths with the same are one file, as a bind mount
/// makes them.
struct FileIdentity {
    std::uint64_t device = 0;
    std::uint64_t inode = 0; ///< 0: not known

    [[nodiscard]] bool is_same_file(const FileIdentity& other) const {
        return inode != 0 && device == other.device && inode == other.inode;
    }
};

/// What a path is on the host, for the caller.
struct PathFact {
    enum class Kind { absent, directory, file, device, other };

    Kind kind = Kind::absent;
    FileIdentity identity;
    /// The path with every link followed; where the end does not exist, its existing part resolved and the rest as
    /// written.
    std::string real;
    std::vector<WalkedLink> links; ///< in the order they were walked
    int error = 0;                 ///< errno of the look-up when `kind` is absent: ENOENT, EACCES, ELOOP ...
};

/// A name at the top of the file system that belongs to the system: /usr, /bin (a link on merged-usr) ... or a link
/// that leads to its programs from elsewhere (NixOS).
struct SystemEntry {
    std::string path;
    std::string link_target; ///< empty for a directory
};

/// What the machine offers for limits of a whole sandbox: cgroups(7), systemd's "Control Group APIs and Delegation".
struct CgroupFacts {
    enum class Hierarchy {
        none,    ///< no cgroup file system is seen at /sys/fs/cgroup
        legacy,  ///< cgroup v1
        hybrid,  ///< cgroup v1, and a unified hierarchy without controllers
        unified, ///< cgroup v2
    };

    Hierarchy hierarchy = Hierarchy::none;
    bool read_only = false;
    bool systemd_runs = false;            ///< systemd is the machine's init
    bool has_user_manager = false;        ///< a `systemd --user` of the caller's runs
    std::string bus = {};                 ///< the address of the caller's own bus; empty: there is none
    std::string manager_controllers = {}; ///< what the user's manager was given: "cpu memory pids"; empty: not known
    std::string own = {};                 ///< the directory of the caller's cgroup; empty where it cannot be seen
    bool own_is_delegated = false;        ///< the caller may make cgroups in it, and nobody else does
    std::string own_controllers = {};     ///< "cpu memory pids"
};

/// What a network of the sandbox's own stands on.
struct NetworkFacts {
    std::string slirp4netns; ///< absolute path, empty where it is not installed
    std::string pasta;
    std::string nft; ///< of nftables
    std::string dnsmasq;
    std::vector<std::string> own_addresses; ///< of the host's interfaces, the loopback's too
    int tun_error = 0;     ///< errno of opening /dev/net/tun for reading and writing; 0: it can be used
    bool has_ipv6 = false; ///< the host has a global IPv6 address and a route to everywhere
    std::uint32_t first_unprivileged_port = 1024; ///< the first that the caller may open: ip(7), capabilities(7)
    std::string resolv_conf;                      ///< the text of /etc/resolv.conf, empty where it cannot be read
    std::string hosts;                            ///< that of /etc/hosts
};

/// What a private layer needs beside the kernel's own overlay.
struct OverlayFacts {
    std::string fuse_overlayfs; ///< absolute path, empty where it is not installed
    int fuse_error = 0;         ///< errno of opening /dev/fuse for reading and writing; 0: it can be used
};

/// The caller and the machine.
struct Host {
    std::uint32_t uid = 0;
    std::uint32_t gid = 0;
    std::string user_name;             ///< empty where the uid has no passwd entry
    std::vector<std::uint32_t> groups; ///< supplementary groups

    bool is_root_of_initial_user_namespace = false; ///< also in a container that has no user namespace of its own

    std::vector<IdRange> subuids;
    std::vector<IdRange> subgids;
    /// The first of 65536 ids that nobody has as subordinate ids, for the advice to take them; 0 where none is free.
    std::uint32_t free_subids = 100000;
    std::string newuidmap; ///< absolute path, empty where it is not installed
    std::string newgidmap;

    std::string home; ///< $HOME, or the passwd entry's; real path not implied
    /// The passwd entry's home: $HOME may point elsewhere (tests, CI), and the user's secrets and profiles stay there.
    std::string account_home;
    std::string cwd;         ///< getcwd(3); empty where it cannot be named
    std::string runtime_dir; ///< $XDG_RUNTIME_DIR, else /run/user/UID
    std::string config_dir;  ///< $XDG_CONFIG_HOME/sandbox: the user's profiles
    std::string data_dir;    ///< $XDG_DATA_HOME/sandbox: our state and caches
    std::map<std::string, std::string> environment;
    std::vector<SystemEntry> system_entries;
    /// The hard limits that the caller's processes have, by the numbers of getrlimit(2); what is not here is unlimited.
    std::map<int, std::uint64_t> hard_limits;
    bool stdin_is_terminal = false;
    bool stdout_is_terminal = false;
    bool stderr_is_terminal = false;

    /// Asked only where the plan wants a network of its own.
    std::function<NetworkFacts()> look_at_network;
    /// The image of that name in the store. \throws Error where there is none. Asked only where the root is an image.
    std::function<Image(const std::string& reference)> find_image;
    /// Asked only where the plan has private layers that fuse-overlayfs may serve.
    std::function<OverlayFacts()> look_at_overlays;
    /// The mount points below `path` (absolute, real): proc_pid_mountinfo(5).
    std::function<std::vector<std::string>(const std::string& path)> mounts_below;
    /// What `path` (absolute) is on this machine.
    std::function<PathFact(const std::string& path)> look_up;
    /// Whether the caller may write `path`; of a directory, whether he may change its entries: access(2), W_OK.
    std::function<bool(const std::string& path)> may_write;
    /// The machine's cgroups: looked at only for a run that wants one.
    std::function<CgroupFacts(const Host& host)> look_at_cgroups;
    /// The disk that `path` is or lies on, as io.max takes it: "8:0". Empty where it lies on none.
    std::function<std::string(const std::string& path)> find_disk;
    /// The existing paths that a glob(7) pattern (absolute) names, sorted.
    std::function<std::vector<std::string>(const std::string& pattern)> expand_glob;
};

/// Reads the machine. The only system calls of core/plan are made here.
/// \throws Error where the caller cannot be determined (no home, no uid).
[[nodiscard]] Host gather_host();

} // namespace sandbox
