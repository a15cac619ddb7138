#include "cmd/common/checks.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "core/base/error.hpp"
#include "core/plan/cgroup_obstacle.hpp"
#include "core/plan/subids.hpp"
#include "netns/cable.hpp"

namespace sandbox {

namespace {

using State = Check::State;

constexpr std::pair<int, int> kOldestKernel = {5, 14};
constexpr std::string_view kUidmapPackage =
    "install the package uidmap (Debian, Ubuntu), shadow-utils (Fedora) or shadow (Arch)";

std::int64_t sysctl(const Machine& machine, const std::string& name, std::int64_t otherwise) {
    const auto found = machine.sysctls.find(name);
    return found == machine.sysctls.end() ? otherwise : found->second;
}

std::string set_sysctl(std::string_view name, std::int64_t value) {
    return fmt::format("sudo sysctl -w {}={}", name, value);
}

Check kernel(const Machine& machine) {
    Check check{"kernel", "the kernel is new enough", State::ok, "", ""};
    if (std::pair(machine.kernel_major, machine.kernel_minor) < kOldestKernel) {
        check.state = State::missing;
        check.why = fmt::format("Linux {} is older than {}.{}", escaped(machine.kernel_release), kOldestKernel.first,
                                kOldestKernel.second);
        check.fix = "run a newer kernel";
    }
    return check;
}

Check proc(const Machine& machine) {
    Check check{"proc", "/proc is mounted", State::ok, "", ""};
    if (!machine.proc_is_mounted) {
        check.state = State::missing;
        check.why = "/proc is not mounted";
        check.fix = "mount -t proc proc /proc";
    }
    return check;
}

Check user_namespaces(const Machine& machine) {
    Check check{"user-namespaces", "unprivileged users may create user namespaces", State::ok, "", ""};
    const std::string_view most = "user.max_user_namespaces";
    const std::string_view clone = "kernel.unprivileged_userns_clone"; // Debian's and Arch's own
    if (sysctl(machine, std::string(most), 1) == 0) {
        check.state = State::missing;
        check.why = fmt::format("{} is 0", most);
        check.fix = set_sysctl(most, 15000);
    } else if (sysctl(machine, std::string(clone), 1) == 0) {
        check.state = State::missing;
        check.why = fmt::format("{} is 0: only root may create user namespaces", clone);
        check.fix = set_sysctl(clone, 1);
    }
    return check;
}

Check namespace_limits(const Machine& machine) {
    Check check{"namespace-limits", "the other namespaces may be created", State::ok, "", ""};
    for (const std::string_view kind : {"mnt", "pid", "net", "ipc", "uts", "cgroup"}) {
        const std::string name = fmt::format("user.max_{}_namespaces", kind);
        if (sysctl(machine, name, 1) == 0) {
            check.state = State::missing;
            check.why = name + " is 0";
            check.fix = set_sysctl(name, 15000);
        }
    }
    return check;
}

Check apparmor(const Machine& machine) {
    Check check{"apparmor", "AppArmor lets user namespaces be used", State::ok, "", ""};
    const std::string_view name = "kernel.apparmor_restrict_unprivileged_userns"; // Ubuntu's, from 23.10 on
    if (sysctl(machine, std::string(name), 0) != 0 && machine.apparmor_profile.empty()) {
        check.state = State::missing;
        check.why = fmt::format("{} is 1: AppArmor takes the rights away from a new user namespace", name);
        check.fix = fmt::format("echo 'abi <abi/4.0>, profile sandbox {} flags=(unconfined) {{ userns, }}' | sudo tee "
                                "/etc/apparmor.d/sandbox; sudo apparmor_parser -r /etc/apparmor.d/sandbox",
                                escaped(machine.executable));
    }
    return check;
}

Check chroot(const Machine& machine) {
    Check check{"chroot", "we are not in a chroot", State::ok, "", ""};
    if (machine.in_chroot) {
        check.state = State::missing;
        check.why = "this is a chroot, in which the kernel creates no user namespace";
        check.fix = "start it outside of the chroot, or enter the directory with pivot_root (systemd-nspawn does)";
    }
    return check;
}

Check outer_filter(const Machine& machine) {
    Check check{"outer-filter", "no outer seccomp filter is in the way", State::ok, "", ""};
    std::vector<std::string> refused;
    for (const auto& [name, state] : machine.calls) {
        if (state == CallState::refused_by_filter || (state == CallState::missing && machine.filtered)) {
            refused.push_back(name);
        }
    }
    if (!refused.empty()) {
        check.state = State::missing;
        check.why = fmt::format("a seccomp filter around us (an outer container or service) forbids {}",
                                fmt::join(refused, ", "));
        check.fix = "start the outer container with --security-opt seccomp=unconfined, or the service without "
                    "SystemCallFilter, RestrictNamespaces and RestrictSUIDSGID";
    }
    return check;
}

Check system_calls(const Machine& machine) {
    Check check{"system-calls", "the kernel has the calls we need", State::ok, "", ""};
    std::vector<std::string> missing;
    for (const auto& [name, state] : machine.calls) {
        if (state == CallState::missing && !machine.filtered) {
            missing.push_back(name);
        }
    }
    if (!missing.empty()) {
        check.state = State::missing;
        check.why = fmt::format("this kernel has no {}", fmt::join(missing, ", "));
        check.fix = "run a kernel that is built with it";
    }
    return check;
}

/// Whether a start fails without newuidmap and newgidmap: groups that are to be dropped need them, a single id does
/// not.
bool needs_helpers(const Host& host) {
    return std::ranges::any_of(host.groups, [&](std::uint32_t group) { return group != host.gid; });
}

Check helpers(const Machine& machine, const Host& host) {
    Check check{"newuidmap", "newuidmap and newgidmap are installed and may set ids", State::ok, "", ""};
    const State bad = needs_helpers(host) ? State::missing : State::warning;
    for (const auto& [name, helper] : {std::pair{"newuidmap", &machine.newuidmap}, {"newgidmap", &machine.newgidmap}}) {
        if (helper->path.empty()) {
            return {check.id, check.title, bad, fmt::format("{} is not installed", name), std::string(kUidmapPackage)};
        }
        if (helper->owner_unmapped) {
            return {
                check.id, check.title, State::missing,
                fmt::format("{} is setuid to a user who has no id in the user namespace around us",
                            escaped(helper->path)),
                "start it outside of the outer sandbox; a profile with ids.map = \"self\" and ids.groups = \"keep\" "
                "does without it"};
        }
        if (!helper->privileged) {
            return {check.id, check.title, State::missing,
                    fmt::format("{} is neither setuid root nor has it a file capability", escaped(helper->path)),
                    fmt::format("sudo chmod u+s {}", escaped(helper->path))};
        }
        if (helper->on_nosuid_mount) {
            return {check.id, check.title, State::missing,
                    fmt::format("{} is on a file system that is mounted nosuid", escaped(helper->path)),
                    "mount it without nosuid, or install the package where setuid programs work"};
        }
    }
    return check;
}

Check no_new_privs(const Machine& machine, const Host& host) {
    Check check{"no-new-privs", "programs may gain privileges, as newuidmap must", State::ok, "", ""};
    if (machine.no_new_privs) {
        const bool used = !machine.newuidmap.path.empty() && !host.subuids.empty();
        check.state = used || needs_helpers(host) ? State::missing : State::warning;
        check.why = "no_new_privs is set for us (an outer sandbox, or a service with NoNewPrivileges): newuidmap gains "
                    "nothing";
        check.fix = "start it without no_new_privs; a profile with ids.map = \"self\" and ids.groups = \"keep\" does "
                    "without newuidmap";
    }
    return check;
}

Check user_name(const Host& host) {
    Check check{"user-name", "your uid has a name", State::ok, "", ""};
    if (host.user_name.empty()) {
        check.state = needs_helpers(host) ? State::missing : State::warning;
        check.why = fmt::format("uid {} has no passwd entry, and newuidmap asks for one", host.uid);
        check.fix = "give the uid a passwd entry, or let getent passwd find it (sssd, nslcd)";
    }
    return check;
}

Check subordinate_ranges(const Host& host) {
    Check check{"subordinate-ids", "you have a range of subordinate ids", State::ok, "", ""};
    if (host.subuids.empty() || host.subgids.empty()) {
        check.state = needs_helpers(host) ? State::missing : State::warning;
        check.why = fmt::format("user {} has no range in {}",
                                host.user_name.empty() ? std::to_string(host.uid) : escaped(host.user_name),
                                host.subuids.empty() ? "/etc/subuid" : "/etc/subgid");
        check.fix = subid_fix(host);
    }
    return check;
}

Check masked_proc(const Machine& machine) {
    Check check{"proc-visible", "the whole of /proc can be seen", State::ok, "", ""};
    if (!machine.covered_proc_paths.empty()) {
        check.state = State::missing;
        check.why = fmt::format("this machine's /proc is partly covered ({}): you are inside a container, and the "
                                "kernel allows no /proc that shows more",
                                escaped(machine.covered_proc_paths.front()));
        check.fix = "start the outer container with --security-opt systempaths=unconfined (podman: unmask=ALL)";
    }
    return check;
}

Check processes(const Machine& machine) {
    Check check{"processes", "there is room for more processes", State::ok, "", ""};
    if (machine.process_limit && machine.process_count >= *machine.process_limit) {
        check.state = State::missing;
        check.why = fmt::format("you have {} processes and threads, and RLIMIT_NPROC allows {}", machine.process_count,
                                *machine.process_limit);
        check.fix = "end some, or raise the limit: ulimit -u, limits.conf(5)";
    } else if (!machine.pids_cgroup.empty()) {
        check.state = State::missing;
        check.why =
            fmt::format("the cgroup {} has as many processes as its pids.max allows", escaped(machine.pids_cgroup));
        check.fix = "end some, or raise TasksMax of the unit";
    }
    return check;
}

/// `strict` asks for these, and starts without them.
Check limits(const Machine& machine, const Host& host) {
    Check check{"limits", "memory, processes and CPU time can be limited", State::ok, "", ""};
    const CgroupFacts& facts = machine.cgroups;
    std::optional<CgroupObstacle> obstacle = find_obstacle(facts, host);
    const std::string& available = facts.bus.empty() ? facts.own_controllers : facts.manager_controllers;
    if (!obstacle && !available.empty()) {
        const std::vector<std::string> missing = missing_controllers({"cpu", "memory", "pids"}, available);
        obstacle = missing.empty() ? std::nullopt : std::optional(not_delegated(missing));
    }
    if (obstacle) {
        check.state = State::warning;
        check.why = std::move(obstacle->cause);
        check.fix = std::move(obstacle->fix);
    }
    return check;
}

/// What `default` needs and `strict` does without.
Check network(const Host& host) {
    Check check{"network", "a sandbox can have a network of its own", State::ok, "", ""};
    const NetworkFacts facts = host.look_at_network();
    if (facts.slirp4netns.empty()) {
        check.state = State::warning;
        check.why = "slirp4netns is not installed, and the profile default has its network through it";
        check.fix = facts.pasta.empty() ? "install the package slirp4netns"
                                        : "install the package slirp4netns; --net pasta works without it";
    } else if (facts.tun_error != 0) {
        check.state = State::warning;
        check.why = "/dev/net/tun cannot be opened: " + kernel_word(facts.tun_error);
        check.fix = facts.tun_error == EACCES ? "sudo chmod 0666 /dev/net/tun, as udev has it" : "sudo modprobe tun";
    }
    return check;
}

/// What the profiles npm and pip, and --net-allow, need besides.
Check network_list(const Machine& machine, const Host& host) {
    Check check{"network-list", "a network can be held to a list of hosts", State::ok, "", ""};
    const NetworkFacts facts = host.look_at_network();
    if (facts.nft.empty()) {
        check.state = State::warning;
        check.why = "nft is not installed";
        check.fix = "install the package nftables";
    } else if (facts.dnsmasq.empty()) {
        check.state = State::warning;
        check.why = "dnsmasq is not installed";
        check.fix = "install the package dnsmasq-base (Debian, Ubuntu) or dnsmasq";
    } else if (!machine.rules_obstacle.empty()) {
        check.state = State::warning;
        check.why = "nft cannot set rules in a network namespace of yours: " + machine.rules_obstacle;
        check.fix = "run a kernel with nf_tables for inet (CONFIG_NF_TABLES_INET, NFT_CT, NFT_REJECT_INET)";
    }
    return check;
}

/// What --net-in and --net-out need.
Check network_limits(const Machine& machine) {
    Check check{"network-limits", "what goes over a sandbox's network can be limited", State::ok, "", ""};
    if (!machine.bandwidth_obstacle.empty()) {
        check.state = State::warning;
        check.why = machine.bandwidth_obstacle;
        check.fix = netns::kBandwidthFix;
    }
    return check;
}

Check reporting(const Machine& machine) {
    Check check{"report", "a run can tell which system calls were refused", State::ok, "", ""};
    if (machine.listener_error != 0) {
        check.state = State::warning;
        check.why = machine.listener_error == EBUSY
                        ? "an outer sandbox listens to its own filter, and the kernel has one listener for all"
                        : fmt::format("the kernel gives a filter no listener: {}", ::strerror(machine.listener_error));
        check.fix = "start it outside of that sandbox; the filter itself holds all the same";
    }
    return check;
}

} // namespace

std::string_view word(Check::State state) {
    switch (state) {
    case State::ok:
        return "ok";
    case State::warning:
        return "warning";
    case State::missing:
        return "missing";
    }
    return "";
}

std::vector<Check> run_checks(const Machine& machine, const Host& host) {
    return {
        kernel(machine),
        system_calls(machine),
        outer_filter(machine),
        proc(machine),
        user_namespaces(machine),
        apparmor(machine),
        chroot(machine),
        namespace_limits(machine),
        helpers(machine, host),
        no_new_privs(machine, host),
        user_name(host),
        subordinate_ranges(host),
        masked_proc(machine),
        processes(machine),
        limits(machine, host),
        network(host),
        network_list(machine, host),
        network_limits(machine),
        reporting(machine),
    };
}

} // namespace sandbox
