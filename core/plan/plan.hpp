// What will be done: plain data, every path absolute, every name a number, every default written out.
// A run executes a Plan and decides nothing; --dry-run prints it; golden tests compare it.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/plan/host.hpp"
#include "core/plan/origin.hpp"
#include "core/plan/prefix.hpp"
#include "core/plan/profile.hpp"

namespace sandbox {

/// One line of a uid or gid map: user_namespaces(7).
struct MapEntry {
    std::uint32_t inside = 0;
    std::uint32_t outside = 0;
    std::uint32_t count = 0;

    bool operator==(const MapEntry&) const = default;
};

struct IdsPlan {
    bool through_helpers =
        false; ///< newuidmap/newgidmap write the maps; else they are written directly, setgroups denied
    std::string newuidmap;
    std::string newgidmap;
    std::vector<MapEntry> uid_map;
    std::vector<MapEntry> gid_map;
    std::uint32_t uid = 0; ///< CMD's, as seen inside
    std::uint32_t gid = 0;
    bool drop_groups = true; ///< setgroups(0); false where there is nothing to drop or the profile keeps them
    /// Who CMD is by the root's own /etc/passwd and /etc/group: "www-data", "1000", "www-data:adm". It is looked up
    /// when the root stands, and what is found counts instead of `uid` and `gid`, with its groups. Empty: nothing is.
    std::string user_in_root;
    Origin map_origin;
    Origin user_origin;
    Origin groups_origin;
};

/// Whether one namespace is a new one, and who wrote so.
struct NamespaceChoice {
    bool is_new = true; ///< false: the host's
    Origin origin;

    [[nodiscard]] explicit operator bool() const { return is_new; }
};

/// The user and the mount namespace are always new.
struct NamespacesPlan {
    NamespaceChoice pid;
    NamespaceChoice net;
    NamespaceChoice ipc;
    NamespaceChoice uts;
    NamespaceChoice cgroup;
    std::string hostname; ///< empty where uts is the host's
    Origin hostname_origin;

    /// Those that can be shared, by the names of namespaces.share.
    [[nodiscard]] std::array<std::pair<const char*, const NamespaceChoice*>, 5> choices() const {
        return {{{"pid", &pid}, {"net", &net}, {"ipc", &ipc}, {"uts", &uts}, {"cgroup", &cgroup}}};
    }
};

/// A port of the host that leads to one of the sandbox.
struct PublishedPort {
    std::string address; ///< of the host, as inet_ntop(3) writes it
    bool is_ipv6 = false;
    bool is_udp = false;
    std::uint16_t host_port = 0; ///< 0: the kernel chooses a free one
    std::uint16_t sandbox_port = 0;
    Origin origin;
};

/// A file of the root that is written for the sandbox: /etc/resolv.conf.
struct GeneratedFile {
    std::string path;
    std::string text;
    Origin origin;
};

/// Ports, both ends included. The default is every port, and what has none.
struct PortRange {
    std::uint16_t first = 0;
    std::uint16_t last = 0xffff;

    [[nodiscard]] bool is_all() const { return first == 0; }
    [[nodiscard]] bool holds(std::uint16_t port) const { return first <= port && port <= last; }
    auto operator<=>(const PortRange&) const = default;
};

/// What CMD may reach, of the outside.
struct AllowEntry {
    enum class Kind : std::uint8_t { name, names_below, addresses };

    Kind kind = Kind::name;
    std::string name;        ///< lower case, without "*." in front and without a final dot
    Prefix addresses;        ///< for `addresses`
    bool opens_near = false; ///< it names what lies in a range that is closed otherwise
    PortRange ports;
    Origin origin;
};

/// The list that the network is held to, and what holds it.
struct AllowPlan {
    bool wanted = false; ///< there is a list; it may be an empty one
    Origin origin;
    std::vector<AllowEntry> entries;
    std::vector<Prefix> closed;         ///< no name opens an address of these
    std::vector<std::string> resolvers; ///< whom the list's resolver asks
    std::string nft;                    ///< absolute paths
    std::string dnsmasq;
    std::uint32_t uid = 0; ///< inside, of the two: not CMD's where the map has another
    std::uint32_t gid = 0;
    std::chrono::seconds lifetime{0}; ///< the most that an answer of the resolver lives
};

/// The most that goes one way through the sandbox's interface.
struct Bandwidth {
    std::uint64_t bytes_per_second = 0; ///< 0: as much as there is
    bool required = true;               ///< false: where the kernel cannot hold it, that is said and the run goes on
    Origin origin;

    [[nodiscard]] explicit operator bool() const { return bytes_per_second != 0; }
};

/// Both ways, as the sandbox sees them.
struct BandwidthPlan {
    Bandwidth in;
    Bandwidth out;

    [[nodiscard]] bool wanted() const { return in || out; }
};

/// What the network namespace holds besides the loopback, and the names in it.
struct NetworkPlan {
    enum class Mode : std::uint8_t { none, host, slirp4netns, pasta };

    Mode mode = Mode::none;
    Origin mode_origin;
    std::string program;        ///< of slirp4netns or pasta, an absolute path
    bool maps_root = false;     ///< uid and gid 0 mean something inside: slirp4netns can lock itself in
    bool ipv6 = false;          ///< the host has IPv6, so the sandbox has it too
    bool host_loopback = false; ///< 10.0.2.2 leads to the host's 127.0.0.1
    Origin host_loopback_origin;
    bool forwards_dns = false; ///< 10.0.2.3 leads to the host's own resolver
    std::vector<PublishedPort> publish;
    AllowPlan allow;
    BandwidthPlan bandwidth;
    std::vector<GeneratedFile> files;

    /// Whether a process of ours gives the sandbox an interface.
    [[nodiscard]] bool has_interface() const { return mode == Mode::slirp4netns || mode == Mode::pasta; }
};

/// One step of building the new root, in order. Destinations are absolute paths inside, free of links and "..".
struct RootEntry {
    enum class Kind {
        directory,         ///< mkdir `mode`; the parent is ours
        file,              ///< an empty file as a mount point; the parent is ours
        link,              ///< a symbolic link holding `source`
        bind,              ///< the host's `source` (a real path), with everything mounted below it
        overlay,           ///< the host's directory `source` under a private layer, the overlay of that number
        private_directory, ///< an own empty place, `mode`, writable, gone at the end
        cover_directory,   ///< an empty directory over what is there, read-only
        cover_file,        ///< an empty file over what is there, read-only
        text,              ///< a file that holds `source`, read-only
        pin,               ///< dest bound on itself, so that it cannot be renamed away: rename(2) says EBUSY
        proc,              ///< a new procfs of the pid namespace
        devpts,            ///< a new devpts instance
        sysfs,   ///< a new sysfs of the network namespace, read-only; the host's, where the kernel allows none
        cgroups, ///< the cgroup2 file system of the cgroup namespace, read-only, if it can be had
        mqueue,  ///< the POSIX message queues of the ipc namespace, if they can be had
        mask,    ///< what the kernel offers at dest is covered, if it is there
        read_only_in_place ///< dest bound on itself read-only, if it is there (/proc/sys)
    };

    Kind kind = Kind::directory;
    std::string dest;
    std::string source;
    std::uint32_t mode = 0755;
    bool writable = false;           ///< bind: false adds the read-only flag to the whole tree
    bool devices = false;            ///< bind: device nodes work (nothing but /dev needs it)
    bool source_is_directory = true; ///< bind: what the Plan saw; a run that finds otherwise refuses
    std::size_t overlay = 0;         ///< overlay: its index in OverlaysPlan::list
    /// The dest lies in a tree that is not ours (RootPlan::tree): it is looked up there by the run, no link leads out
    /// of it, and what is missing is made.
    bool in_tree = false;
    bool follows_links = false; ///< in_tree: links of the tree are followed inside it; else one is refused
    Origin origin;
};

/// A directory tree under a private layer that takes all writes: overlayfs, "Upper and Lower".
struct Overlay {
    std::string name;               ///< "root", or the path of the host: what a kept layer is found by
    std::vector<std::string> lower; ///< absolute directories, the lowest first
    std::string below;              ///< what must be below a kept layer again: the image's id, or the directory
    bool has_mounts = false;        ///< something is mounted inside of the lowest: the kernel's overlay refuses that
    Origin origin;
};

/// The private layers of a run.
struct OverlaysPlan {
    enum class Driver : std::uint8_t { automatic, kernel, fuse };

    Driver driver = Driver::automatic;
    Origin driver_origin;
    std::string fuse_program; ///< of fuse-overlayfs, an absolute path; empty: not installed
    int fuse_error = 0;       ///< errno of opening /dev/fuse; 0: it can be used
    std::string keep;         ///< the name under which the layers are kept; empty: they go at the end
    Origin keep_origin;
    std::string directory;     ///< ours, where the layers are made
    std::vector<Overlay> list; ///< the root's own first
};

/// An image or a directory as the root: a system of its own, whose files nobody vouches for.
struct TreeRoot {
    std::string directory; ///< shown as it is; empty: the first of the overlays is the root
    bool writable = false;
    Origin origin;
    std::string reference; ///< the image's name and id, for people; empty for a directory
    std::string id;
};

/// A name of the usual secrets in a private home: a symbolic link, whose time of access tells that CMD walked it.
struct HiddenName {
    std::string name;          ///< as the user writes it: "~/.ssh"
    std::string source;        ///< what a grant would show: the path on the host, which may have nothing of that name
    std::string path;          ///< of the link, inside
    std::string target;        ///< what the link holds: an absolute path inside, in the private home
    bool is_directory = false; ///< the target is made, mode 0700; else it is absent, and CMD may create it
};

/// All of them in one private home.
struct HiddenNames {
    std::string home;                     ///< the private directory; empty: there are no links
    Origin origin;                        ///< what makes the home private, and so hides them
    std::vector<std::string> directories; ///< made first, mode 0700, where they are missing
    std::vector<HiddenName> list;
};

struct RootPlan {
    std::optional<TreeRoot> tree; ///< the base is this, neither the host's root nor an empty one
    bool host_root = false;       ///< the host's "/" itself is the base ("/" was granted), else an empty tmpfs
    bool host_root_writable = false;
    Origin host_root_origin;
    std::vector<RootEntry> entries;
    /// A directory of the old root that no source lies in: the tmpfs that the new root is built in covers it.
    std::string stage_point;
    bool has_tty_group = false; ///< devpts: its terminals belong to the group tty (5), which is mapped
    /// Directories of ours that must exist before a run that grants something above them; made with mode 0700.
    std::vector<std::string> ensure_directories;
    HiddenNames hidden_names;
};

/// A system call by its name, which is the same on every architecture, and its native number.
struct SyscallName {
    std::string name;
    int number = -1; ///< the native number; -1 where this architecture has no such call
};

enum class SeccompActionKind : std::uint8_t { allow, log, errno_value, kill };

struct SeccompAction {
    SeccompActionKind kind = SeccompActionKind::allow;
    int error_number = 0; ///< for errno_value
    bool quiet = false;   ///< for errno_value: expected, so that no report tells of it

    bool operator==(const SeccompAction&) const = default;
};

/// A test of one 32-bit argument: ((argument & mask) == value). The mask leaves the upper 32 bits out, as the kernel
/// does.
struct SeccompTest {
    unsigned argument = 0;
    std::uint64_t mask = 0xffffffff;
    std::uint64_t value = 0;

    bool operator==(const SeccompTest&) const = default;
};

/// All of `tests` hold -> `action`. Several alternatives are several entries.
struct SeccompEntry {
    SyscallName syscall;
    std::vector<SeccompTest> tests; ///< empty: every call
    SeccompAction action;
    Origin origin;
};

struct SeccompPlan {
    bool filter = false;          ///< false: no filter is loaded
    SeccompAction default_action; ///< for a known call that no entry names
    /// Restrictions first (they win over everything after them), then allowances; see core/seccomp.hpp.
    std::vector<SeccompEntry> entries;
    std::vector<std::string> architectures; ///< libseccomp names ("x86_64"), native first
    std::vector<std::string> quiet;         ///< calls whose refusal, by whatever entry, no report tells of; sorted
    Origin default_origin;
};

struct CapabilitiesPlan {
    std::vector<int> keep;       ///< capability numbers, sorted
    std::vector<Origin> origins; ///< beside `keep`
};

/// One limit of CMD's process and of each that it starts: setrlimit(2). kNoLimit is none.
struct ResourceLimit {
    std::string name;     ///< "nofile"
    int resource = 0;     ///< RLIMIT_NOFILE
    bool is_size = false; ///< in bytes; else a count
    std::uint64_t soft = 0;
    std::uint64_t hard = 0; ///< at most the caller's
    Origin origin;
};

/// One limit of the whole sandbox: a value for a file of its cgroup. See the kernel's admin-guide/cgroup-v2.rst.
struct CgroupLimit {
    std::string name;       ///< the key in [limits]: "memory"
    std::string controller; ///< "memory"
    std::string file;       ///< "memory.max"
    std::string value;      ///< what is written there: "536870912"
    std::string words;      ///< for people: "512 MiB"
    bool required = true;   ///< false: where it cannot be had, that is said and the run goes on
    Origin origin;
};

/// Where the sandbox's cgroup can come from, in the order of trying: CgroupFacts has found them.
struct CgroupPlaces {
    std::string bus;     ///< the address of the user's own bus; empty: none
    std::string subtree; ///< the directory of the caller's own cgroup, where it is delegated; empty: it is not

    [[nodiscard]] bool any() const { return !bus.empty() || !subtree.empty(); }
};

struct CgroupPlan {
    bool stats = false;              ///< what the sandbox uses is to be told: a cgroup is wanted without limits too
    std::vector<CgroupLimit> limits; ///< empty where there is no place
    CgroupPlaces places;
    std::string obstacle; ///< why there is no place; empty where there is one, or none is wanted

    [[nodiscard]] bool wanted() const { return stats || !limits.empty(); }
};

struct EnvironmentEntry {
    std::string name;
    std::string value;
    Origin origin;
};

struct ProcessPlan {
    std::vector<std::string> arguments;  ///< argv of CMD, at least one
    std::vector<std::string> candidates; ///< absolute paths to try in order ("/usr/bin/ls", "/bin/ls")
    std::string workdir;
    Origin workdir_origin;
    bool makes_workdir = false;        ///< it is made in the root's tree where it is missing
    bool takes_home_from_root = false; ///< HOME is what the tree's /etc/passwd says: `environment` holds a stand-in
    bool terminal = false;             ///< a pty of its own, for input and output
    /// A pty for those of standard output and error that are the caller's terminal, when `terminal` is not set: CMD can
    /// write to it, but neither read what is typed nor change its modes.
    bool output_terminal = false;
};

/// The whole run. `make_plan` is its only source.
struct Plan {
    std::string profile; ///< name, for messages
    std::string name;    ///< of the sandbox, empty unless given
    IdsPlan ids;
    NamespacesPlan namespaces;
    NetworkPlan network;
    RootPlan root;
    OverlaysPlan overlays;
    CapabilitiesPlan capabilities;
    /// In the place of `capabilities` where IdsPlan::user_in_root turns out not to be root: docker(1) gives them to
    /// root.
    CapabilitiesPlan user_capabilities;
    SeccompPlan seccomp;
    std::vector<EnvironmentEntry> environment;
    ProcessPlan process;
    CgroupPlan cgroup;
    std::vector<ResourceLimit> limits; ///< those that are set; the others are the caller's
    std::optional<std::chrono::milliseconds> timeout;
    Origin timeout_origin;
    std::string data_dir;             ///< where the compiled filter is cached
    std::string registry;             ///< where the run is recorded while it lasts
    std::string stop_signal;          ///< the image's, as it is written there; empty: none
    std::vector<std::string> notices; ///< one-line remarks for the user: said on standard error unless --quiet
};

/// What the user wants to run.
struct Command {
    std::vector<std::string> arguments;         ///< may be empty where an image has a command
    std::string name;                           ///< --name
    std::optional<std::string> entrypoint = {}; ///< --entrypoint: in the place of the image's; empty: none
    bool stats = false;                         ///< --stats: a cgroup is wanted for what it counts
};

/// Joins the three into one Plan; a pure function. All user errors are found here, before any kernel state.
/// \throws Error with the origin's place, the cause and the fix.
[[nodiscard]] Plan make_plan(const Profile& profile, const Command& command, const Host& host);

} // namespace sandbox
