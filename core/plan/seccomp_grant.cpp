#include "core/plan/seccomp_grant.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <iterator>

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
        depends,    ///< `detail` is the sysctl that decides too
    };

    std::string_view syscall;
    Why why = Why::root;
    std::string_view detail = {};
};

using Why = Special::Why;

// clang-format off
constexpr Special kSpecial[] = {
    // Modules and another kernel.
    {"create_module", Why::root}, {"delete_module", Why::root}, {"finit_module", Why::root}, {"init_module", Why::root},
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
    {"bpf", Why::depends, "kernel.unprivileged_bpf_disabled"}, {"io_uring_setup", Why::depends, "kernel.io_uring_disabled"},
    {"perf_event_open", Why::depends, "kernel.perf_event_paranoid"}, {"syslog", Why::depends, "kernel.dmesg_restrict"},
    {"userfaultfd", Why::depends, "vm.unprivileged_userfaultfd"},
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

} // namespace

CallNeeds needs_of_call(const SeccompPlan& plan, std::string_view syscall, const SeccompEntry* refused_by) {
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
    case Why::depends:
        return no_grant(fmt::format("--seccomp-allow {} lets it pass the filter; the kernel's sysctl {} decides then",
                                    syscall, special->detail));
    }
    return needs;
}

Grant grant_for_call(const SeccompPlan& plan, std::string_view syscall, const SeccompEntry* refused_by) {
    const CallNeeds needs = needs_of_call(plan, syscall, refused_by);
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
