// What was written: a TOML profile and the command line's options are both a Profile, and `merge` joins them.
#pragma once

#include <array>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "core/plan/origin.hpp"

namespace sandbox {

// The words that a setting can be; the first is what holds where nothing is written.
constexpr auto kIdMaps = std::to_array<std::string_view>({"auto", "full", "self"});
constexpr auto kGroupWords = std::to_array<std::string_view>({"drop", "keep"});
constexpr auto kRoots = std::to_array<std::string_view>({"host", "empty", "image", "rootfs"});
constexpr auto kOverlayDrivers = std::to_array<std::string_view>({"auto", "kernel", "fuse"});
constexpr auto kNetworkModes = std::to_array<std::string_view>({"none", "host", "slirp4netns", "pasta"});
constexpr auto kTerminalWords = std::to_array<std::string_view>({"auto", "always", "never"});
constexpr auto kUnavailableWords = std::to_array<std::string_view>({"fail", "warn"});
constexpr auto kDefaultActions = std::to_array<std::string_view>({"deny", "allow", "kill", "log"});
constexpr auto kShareableNamespaces = std::to_array<std::string_view>({"pid", "net", "ipc", "uts", "cgroup"});

/// `{ arg = 0, op = "==", value = "AF_VSOCK" }`, checked for form by the reader, resolved by make_plan.
struct SeccompCondition {
    unsigned argument = 0; ///< 0 to 5
    std::string op = "=="; ///< "==", "in" (any of the values), "&" (any of these bits is set), "!&" (none of them is)
    std::vector<Item> values; ///< numbers or symbolic names (AF_VSOCK, CLONE_NEWUSER, TIOCSTI)
    Origin origin;
};

/// One `[[seccomp.rule]]`. A rule without conditions holds for every call of its system calls.
struct SeccompRule {
    std::vector<Item> syscalls; ///< names or @groups
    Item action;                ///< allow | deny | kill | log | an errno name
    std::vector<SeccompCondition> conditions;
    bool quiet = false; ///< no report tells of what it refuses
    Origin origin;
};

/// The tables of sandbox-profile(5), as words: nothing is resolved yet. Unset means "not written".
struct Profile {
    std::string name; ///< as it was asked for: "strict"
    Setting<std::string> description;
    std::vector<std::string> lineage; ///< the files it was read from, base first

    struct Ids {
        Setting<std::string> map;  ///< auto | full | self
        Setting<std::string> user; ///< self | root | image | UID | UID:GID; names of the image's own where there is one
        Setting<std::string> groups; ///< drop | keep
    } ids;

    struct Namespaces {
        Setting<std::string> hostname;
        List share; ///< of pid, net, ipc, uts, cgroup
    } namespaces;

    struct Filesystem {
        Setting<std::string> root;           ///< host | empty | image | rootfs
        Setting<std::string> image;          ///< for root = "image": the reference
        Setting<std::string> rootfs;         ///< for root = "rootfs": the directory
        Setting<bool> writable_root;         ///< a private layer over the image or the directory
        List read_only;                      ///< PATH[:DEST]
        List read_write;                     ///< PATH[:DEST]
        List overlay;                        ///< PATH[:DEST]
        Setting<std::string> overlay_driver; ///< auto | kernel | fuse
        Setting<std::string> keep;           ///< the name under which the private layers are kept
        List tmpfs;
        List hide;   ///< paths or globs
        List masked; ///< @docker or paths below /proc and /sys
    } filesystem;

    struct Network {
        Setting<std::string> mode; ///< none | host | slirp4netns | pasta
        List publish;              ///< [ADDR:]HOST:SANDBOX[/tcp|/udp], ports or ranges
        List dns;                  ///< addresses of resolvers
        List hosts;                ///< NAME:ADDR, lines of /etc/hosts
        Setting<bool> host_loopback;
        List allow; ///< HOST[:PORT], NETWORK/BITS[:PORT]: what can be reached; not written: everything
        Setting<std::string> answer_ttl; ///< a duration: how long an answer about an allowed name counts
    } network;

    struct Limits {
        Setting<std::string> memory; ///< of the whole sandbox, as all down to `net_out`: a size
        Setting<std::string> swap;   ///< a size or "unlimited"
        Setting<std::string> pids;   ///< a count
        Setting<std::string> cpus;   ///< a decimal number: 1.5
        Setting<std::string> cpu_weight;
        List io;                     ///< PATH:rbps=SIZE,wbps=SIZE,riops=COUNT,wiops=COUNT
        Setting<std::string> net_in; ///< a rate: "20mbit", "2MB/s"; or "unlimited"
        Setting<std::string> net_out;
        Setting<std::string> when_unavailable; ///< fail | warn: where the machine cannot hold one of these
        Setting<std::string> timeout;          ///< a duration: "30s"
        Setting<std::string> core;             ///< this and the following: SOFT[:HARD], a size or "unlimited"
        Setting<std::string> fsize;
        Setting<std::string> nofile; ///< this and the next: counts
        Setting<std::string> nproc;
        Setting<std::string> stack; ///< a size
    } limits;

    struct Environment {
        Setting<bool> clear; ///< --clear-env: nothing passes but what later layers name
        List pass;           ///< names or globs
        std::map<std::string, Setting<std::string>> set;
    } environment;

    struct Capabilities {
        List keep; ///< "CAP_NET_RAW", "net_raw" or "all"
        List drop; ///< taken away from keep
    } capabilities;

    struct Seccomp {
        Setting<std::string> base_profile; ///< seccomp.extends / --seccomp: resolved by the loader, kept for the report
        Setting<std::string> default_action; ///< deny | allow | kill | log
        List allow;
        List deny;
        List quiet;         ///< refused without being reported
        List architectures; ///< native | x86 | x32 | ...
        std::vector<SeccompRule> rules;
    } seccomp;

    struct Process {
        Setting<std::string> workdir;
        Setting<std::string> terminal; ///< auto | always | never
    } process;
};

/// `top` over `base`: single values override (and remember what they overrode), tables merge, arrays replace unless
/// they were written to add, `allow`/`deny` lists and rules always add.
[[nodiscard]] Profile merge(Profile base, Profile top);

} // namespace sandbox
