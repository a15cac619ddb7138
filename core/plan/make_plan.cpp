#include <linux/capability.h>

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "core/base/error.hpp"
#include "core/plan/allow_plan.hpp"
#include "core/plan/bandwidth_plan.hpp"
#include "core/plan/capabilities_plan.hpp"
#include "core/plan/cgroup_obstacle.hpp"
#include "core/plan/cgroup_plan.hpp"
#include "core/plan/duration.hpp"
#include "core/plan/environment_plan.hpp"
#include "core/plan/filesystem_plan.hpp"
#include "core/plan/ids_plan.hpp"
#include "core/plan/layers.hpp"
#include "core/plan/limits_plan.hpp"
#include "core/plan/namespaces_plan.hpp"
#include "core/plan/network_plan.hpp"
#include "core/plan/paths.hpp"
#include "core/plan/plan.hpp"
#include "core/plan/process_plan.hpp"
#include "core/plan/root_choice.hpp"
#include "core/plan/seccomp_plan.hpp"

namespace sandbox {

namespace {

constexpr const char* kCgroups = "/sys/fs/cgroup";

bool maps_tty_group(const std::vector<MapEntry>& gid_map) {
    constexpr std::uint32_t kTtyGroup = 5; // everywhere: devpts, and the groups that distributions fix
    return std::any_of(gid_map.begin(), gid_map.end(), [](const MapEntry& map) {
        return map.inside <= kTtyGroup && kTtyGroup - map.inside < map.count;
    });
}

bool may_mount(const Plan& plan) {
    const auto& kept = plan.capabilities.keep;
    if (std::find(kept.begin(), kept.end(), CAP_SYS_ADMIN) == kept.end()) {
        return false;
    }
    constexpr std::array kCalls = {"mount", "umount2", "mount_setattr", "move_mount"};
    const auto lets_mount = [&](const SeccompEntry& entry) {
        return entry.action.kind != SeccompActionKind::errno_value && entry.action.kind != SeccompActionKind::kill &&
               std::find(kCalls.begin(), kCalls.end(), entry.syscall.name) != kCalls.end();
    };
    return !plan.seccomp.filter || std::any_of(plan.seccomp.entries.begin(), plan.seccomp.entries.end(), lets_mount);
}

/// With CAP_SYS_ADMIN over the mount namespace CMD can take the read-only flag off a grant, and covers off what they
/// hide: nothing of ours can hold that, so it is said.
void remark_on_mount_rights(Plan& plan) {
    if (may_mount(plan)) {
        plan.notices.push_back(
            "CMD keeps CAP_SYS_ADMIN and may call mount(2): it can make read-only grants writable and take "
            "covers off, so neither holds against it");
    }
}

/// The files of its limits belong to the user, as whom CMD may run: what keeps it from them is that it neither sees nor
/// mounts them. The root of a cgroup namespace the kernel keeps from it, but not what is above.
void refuse_limits_in_reach(Plan& plan) {
    const bool sees_them =
        plan.root.host_root || std::ranges::any_of(plan.root.entries, [](const RootEntry& entry) {
            // Where the kernel allows no new sysfs, the host's stands in its place.
            return entry.kind == RootEntry::Kind::sysfs ||
                   (entry.kind == RootEntry::Kind::bind &&
                    (paths::is_within(entry.source, kCgroups) || paths::is_within(kCgroups, entry.source)));
        });
    if (!may_mount(plan) || (plan.namespaces.cgroup && !sees_them)) {
        return;
    }
    const CgroupObstacle obstacle{
        plan.namespaces.cgroup
            ? "CMD keeps CAP_SYS_ADMIN, may call mount(2), and is shown /sys/fs/cgroup, which it could make writable"
            : "CMD keeps CAP_SYS_ADMIN, may call mount(2), and shares the host's cgroup namespace",
        "leave out --cap-add sys_admin, or show it neither / nor /sys nor the host's cgroup namespace"};
    refuse_required(plan.cgroup.limits, obstacle);
    if (!plan.cgroup.limits.empty()) {
        plan.notices.push_back(off_notice(plan.cgroup.limits, obstacle));
        plan.cgroup.limits.clear();
    }
}

/// docker(1) gives a container's capabilities to its root: a process of another user gets none, but those that were
/// asked for in so many words.
CapabilitiesPlan only_by_option(const CapabilitiesPlan& all) {
    CapabilitiesPlan some;
    for (std::size_t i = 0; i < all.keep.size(); ++i) {
        if (all.origins[i].kind == Origin::Kind::option) {
            some.keep.push_back(all.keep[i]);
            some.origins.push_back(all.origins[i]);
        }
    }
    return some;
}

void remark_on_owners(Plan& plan, const RootChoice& root) {
    if (root.image && !root.image->single_owner && !plan.ids.through_helpers) {
        plan.notices.push_back("the image was unpacked with your subordinate range, and this run has no map of it: "
                               "files of other owners than root belong to nobody here");
    }
}

/// Processes of ours stand in the sandbox's user namespace and in the host's root or network: slirp4netns,
/// fuse-overlayfs. In a pid namespace of its own CMD does not see them.
void refuse_tracing_of_host(const Plan& plan) {
    const auto kept = std::ranges::find(plan.capabilities.keep, CAP_SYS_PTRACE);
    if (plan.namespaces.pid || kept == plan.capabilities.keep.end()) {
        return;
    }
    const auto at = static_cast<std::size_t>(kept - plan.capabilities.keep.begin());
    throw Error(fmt::format("{}: cannot keep CAP_SYS_PTRACE in the host's pid namespace",
                            written_at(plan.capabilities.origins.at(at))))
        .cause("CMD could trace the processes that serve it from outside, and through them reach the host's files")
        .fix(fmt::format("--cap-drop sys_ptrace, or do without the shared namespace ({})",
                         written_at(plan.namespaces.pid.origin)));
}

} // namespace

Plan make_plan(const Profile& profile, const Command& command, const Host& host) {
    const Layers layers(profile);
    Plan plan;
    plan.profile = profile.name;
    plan.name = command.name;
    plan.data_dir = host.data_dir;
    plan.registry = host.runtime_dir + "/sandbox/runs";

    const RootChoice root = choose_root(profile.filesystem, host, layers);
    plan.ids = plan_ids(profile.ids, host, root);
    plan.namespaces = plan_namespaces(profile, command, layers);
    plan.network = plan_network(profile.network, plan.namespaces, plan.ids, host, layers, root, plan.notices);
    plan.network.bandwidth = plan_bandwidth(profile.limits, plan.network, layers, plan.notices);
    FilesystemPlan filesystem =
        plan_filesystem(profile, host, layers, root, plan.namespaces, plan.network, plan.notices);
    plan.root = std::move(filesystem.root);
    plan.overlays = std::move(filesystem.overlays);
    plan.root.has_tty_group = maps_tty_group(plan.ids.gid_map);
    plan.capabilities = plan_capabilities(profile.capabilities, layers, plan.notices);
    plan.user_capabilities = only_by_option(plan.capabilities);
    refuse_rights_over_list(plan);
    refuse_tracing_of_host(plan);
    plan.seccomp = plan_seccomp(profile);
    remark_on_mount_rights(plan);
    if (host.is_root_of_initial_user_namespace) {
        plan.notices.push_back(
            "you are root: CMD has the machine's own uid 0 and reads what only root may read; start as an "
            "ordinary user");
    }
    plan.environment =
        plan_environment(profile, host, filesystem.workdir, plan.namespaces.hostname, root, layers, plan.notices);
    plan.process = plan_process(profile.process, command, host, root, filesystem.workdir, plan.environment);
    plan.process.makes_workdir = filesystem.makes_workdir;
    plan.process.takes_home_from_root = takes_home_from_root(profile.environment, root);
    remark_on_owners(plan, root);
    plan.stop_signal = root.image ? root.image->config.stop_signal : "";
    plan.process.workdir_origin = filesystem.workdir_origin;
    plan.cgroup = plan_cgroup(profile.limits, command.stats, host, plan.notices);
    refuse_limits_in_reach(plan);
    plan.limits = plan_limits(profile.limits, host, plan.notices);
    if (profile.limits.timeout) {
        plan.timeout = parse_duration(*profile.limits.timeout.value, profile.limits.timeout.origin);
        plan.timeout_origin = profile.limits.timeout.origin;
    }
    return plan;
}

} // namespace sandbox
