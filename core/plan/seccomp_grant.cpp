#include "core/plan/seccomp_grant.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <utility>

#include "core/plan/syscalls.hpp"

namespace sandbox {

namespace {

/// Calls for which the filter's word is not enough. All others need nothing else.
struct Special {
    enum class Why {
        root,       ///< the kernel asks for a capability over the machine, which no sandbox of an ordinary user has
        keys,       ///< the kernel's keys stand outside of all namespaces but the user's
        mounts,     ///< they need CAP_SYS_ADMIN inside, which takes covers and read-only flags off
        capability, ///< `detail` is the capability that they need inside
        ids,        ///< the same, for ids other than CMD's, where the map has any
        depends,    ///< `detail` is the sysctl that decides too
        gone,       ///< no kernel of today knows them
        namespaces, ///< they make new ones
        fanotify,   ///< without CAP_SYS_ADMIN over the machine it works for some flags only
    };

    std::string_view syscall;
    Why why = Why::root;
    std::string_view detail = {};
};

using Why = Special::Why;

// clang-format off
constexpr Special kSpecial[] = {
    // Modules and another kernel.
    {"delete_module", Why::root}, {"finit_module", Why::root}, {"init_module", Why::root},
    {"kexec_file_load", Why::root}, {"kexec_load", Why::root}, {"reboot", Why::root},
    // The machine's clock, swap, accounting, quotas, ports, log, consoles.
    {"acct", Why::root}, {"clock_settime", Why::root}, {"clock_settime64", Why::root}, {"ioperm", Why::root},
    {"iopl", Why::root}, {"lookup_dcookie", Why::root}, {"quotactl", Why::root}, {"quotactl_fd", Why::root},
    {"settimeofday", Why::root}, {"stime", Why::root}, {"swapoff", Why::root}, {"swapon", Why::root},
    {"vhangup", Why::root},
    // Files by their numbers on a disk, past every mount.
    {"open_by_handle_at", Why::root},
    {"add_key", Why::keys}, {"keyctl", Why::keys}, {"request_key", Why::keys},
    {"fsconfig", Why::mounts}, {"fsmount", Why::mounts}, {"fsopen", Why::mounts}, {"fspick", Why::mounts},
    {"mount", Why::mounts}, {"mount_setattr", Why::mounts}, {"move_mount", Why::mounts}, {"open_tree", Why::mounts},
    {"open_tree_attr", Why::mounts}, {"pivot_root", Why::mounts}, {"setns", Why::mounts}, {"umount", Why::mounts},
    {"umount2", Why::mounts}, {"sethostname", Why::mounts}, {"setdomainname", Why::mounts},
    {"chroot", Why::capability, "SYS_CHROOT"},
    {"setfsgid", Why::ids, "SETGID"}, {"setfsuid", Why::ids, "SETUID"}, {"setgid", Why::ids, "SETGID"},
    {"setgroups", Why::ids, "SETGID"}, {"setregid", Why::ids, "SETGID"}, {"setresgid", Why::ids, "SETGID"},
    {"setresuid", Why::ids, "SETUID"}, {"setreuid", Why::ids, "SETUID"}, {"setuid", Why::ids, "SETUID"},
    {"bpf", Why::depends, "kernel.unprivileged_bpf_disabled"}, {"io_uring_setup", Why::depends, "kernel.io_uring_disabled"},
    {"perf_event_open", Why::depends, "kernel.perf_event_paranoid"}, {"syslog", Why::depends, "kernel.dmesg_restrict"},
    {"userfaultfd", Why::depends, "vm.unprivileged_userfaultfd"},
    {"clone", Why::namespaces}, {"clone3", Why::namespaces}, {"unshare", Why::namespaces},
    {"fanotify_init", Why::fanotify},
    {"_sysctl", Why::gone}, {"afs_syscall", Why::gone}, {"create_module", Why::gone}, {"get_kernel_syms", Why::gone},
    {"getpmsg", Why::gone}, {"nfsservctl", Why::gone}, {"putpmsg", Why::gone}, {"query_module", Why::gone},
    {"security", Why::gone}, {"tuxcall", Why::gone}, {"uselib", Why::gone}, {"vserver", Why::gone},
};
// clang-format on

CallNeeds no_grant(std::string advice) {
    return {.rule = false, .capability = "", .advice = std::move(advice)};
}

/// Whether a rule allows the call for some arguments: then its mention in `allow` widens nothing.
bool is_narrowed(const SeccompPlan& plan, std::string_view syscall) {
    return std::ranges::any_of(plan.entries, [&](const SeccompEntry& entry) {
        return entry.syscall.name == syscall && !entry.tests.empty() && entry.action.kind == SeccompActionKind::allow;
    });
}

bool is_single(const std::vector<MapEntry>& map) {
    return map.size() == 1 && map.front().count == 1;
}

CallNeeds needs_of_ids(CallNeeds needs, const IdsPlan& ids, const Special& special) {
    const bool of_groups = special.detail == "SETGID";
    if (!is_single(of_groups ? ids.gid_map : ids.uid_map)) {
        needs.capability = special.detail;
        return needs;
    }
    if (special.syscall == "setgroups") {
        return no_grant("no line would help: where the map has one id only (ids.map), the kernel keeps the groups");
    }
    return no_grant(fmt::format("--seccomp-allow {} lets it pass the filter; the map has one id only (ids.map), and "
                                "nothing gives CMD another one",
                                special.syscall));
}

CallNeeds needs_of_namespaces(const CallNeeds& needs, std::string_view syscall) {
    if (syscall == "clone3") { // refused where clone is refused too: else it answers ENOSYS
        return no_grant("not advised: it may ask for new namespaces, and no filter sees; libc does with clone alone");
    }
    if (syscall == "clone" && !needs.rule) {
        return needs; // not even a thread can start
    }
    return no_grant("not advised: new namespaces need CAP_SYS_ADMIN, or a new user namespace, which has it and shows "
                    "CMD more of the kernel");
}

} // namespace

CallNeeds needs_of_call(const SeccompPlan& plan, const IdsPlan& ids, std::string_view syscall,
                        const SeccompEntry* refused_by) {
    if (refused_by != nullptr) {
        return no_grant("a rule denies it, which nothing in a profile that extends this one takes back");
    }
    if (syscall.ends_with(kOfAnotherArchitecture)) {
        return no_grant("seccomp.architectures names those whose calls are not killed");
    }
    if (syscalls::find(syscall) == nullptr) {
        return no_grant("no profile can name it");
    }
    const auto* const special = std::ranges::find(kSpecial, syscall, &Special::syscall);
    CallNeeds needs{.rule = is_narrowed(plan, syscall), .capability = "", .advice = ""};
    if (special == std::end(kSpecial)) {
        return needs;
    }
    switch (special->why) {
    case Why::root:
        return no_grant("no line would help: the kernel asks for root on the machine");
    case Why::keys:
        return no_grant("not advised: the kernel's keys are not the sandbox's own");
    case Why::mounts:
        return no_grant("not advised: it needs CAP_SYS_ADMIN too, which takes the sandbox's covers off");
    case Why::capability:
        needs.capability = special->detail;
        return needs;
    case Why::ids:
        return needs_of_ids(std::move(needs), ids, *special);
    case Why::gone:
        return no_grant("the kernel has no such call any more");
    case Why::namespaces:
        return needs_of_namespaces(needs, syscall);
    case Why::fanotify:
        return no_grant("--seccomp-allow fanotify_init lets it pass the filter; without root on the machine the kernel "
                        "takes it with FAN_REPORT_FID only");
    case Why::depends:
        return no_grant(fmt::format("--seccomp-allow {} lets it pass the filter; the kernel's sysctl {} decides then",
                                    syscall, special->detail));
    }
    return needs;
}

Grant grant_for_call(const SeccompPlan& plan, const IdsPlan& ids, std::string_view syscall,
                     const SeccompEntry* refused_by) {
    const CallNeeds needs = needs_of_call(plan, ids, syscall, refused_by);
    if (!needs.advice.empty()) {
        return {.option = "", .profile = "", .advice = needs.advice};
    }
    Grant grant{.option = fmt::format("--seccomp-allow {}", syscall),
                .profile = needs.rule
                               ? fmt::format("seccomp.rule = [{{ syscalls = [\"{}\"], action = \"allow\" }}]", syscall)
                               : fmt::format("seccomp.allow = [\"{}\"]", syscall),
                .advice = ""};
    if (!needs.capability.empty()) {
        grant.option += fmt::format(" --cap-add {}", needs.capability);
        grant.profile += fmt::format("\ncapabilities.keep = {{ add = [\"{}\"] }}", needs.capability);
    }
    return grant;
}

} // namespace sandbox
