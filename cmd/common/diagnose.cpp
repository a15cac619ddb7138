#include "cmd/common/diagnose.hpp"

#include <sys/resource.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include <fmt/format.h>

#include "cmd/common/checks.hpp"
#include "cmd/common/diagnose_execute.hpp"
#include "cmd/common/diagnose_tree.hpp"

namespace sandbox {

namespace {

/// What the errno alone says, where no single fact of the machine is at fault.
void add_meaning(Error& error, Step step, int error_number, const Plan& plan, const Machine& machine) {
    if (step == Step::set_limit && error_number == EPERM) {
        const auto most = machine.sysctls.find("fs.nr_open");
        for (const ResourceLimit& limit : plan.limits) {
            const bool is_above = most != machine.sysctls.end() && std::cmp_greater(limit.hard, most->second);
            if (limit.resource == RLIMIT_NOFILE && is_above) {
                error.cause(fmt::format("fs.nr_open is {}, and no limit of open files can be above it", most->second));
                error.fix(fmt::format("--ulimit nofile={}", most->second));
            }
        }
    }
    const bool creates =
        step == Step::create_user_namespace || step == Step::create_namespaces || step == Step::create_cgroup_namespace;
    if (creates && (error_number == ENOSPC || error_number == EUSERS)) {
        const auto most = machine.sysctls.find("user.max_user_namespaces");
        error.cause(
            fmt::format("as many namespaces exist as user.max_*_namespaces allows{}, or they are nested 32 deep",
                        most == machine.sysctls.end() ? "" : fmt::format(" ({})", most->second)));
        error.fix("end some sandboxes, or raise the limit: sudo sysctl -w user.max_user_namespaces=100000");
    }
}

} // namespace

std::vector<std::string_view> suspect_checks(Step step) {
    switch (step) {
    case Step::create_user_namespace:
        return {"kernel",   "system-calls", "outer-filter",     "user-namespaces",
                "apparmor", "chroot",       "namespace-limits", "processes"};
    case Step::write_uid_map:
    case Step::write_gid_map:
        return {"proc", "apparmor", "newuidmap", "no-new-privs", "user-name", "subordinate-ids", "processes"};
    case Step::create_namespaces:
    case Step::create_cgroup_namespace:
        return {"system-calls", "outer-filter", "apparmor", "namespace-limits"};
    case Step::mount_proc:
        return {"outer-filter", "apparmor", "proc-visible"};
    case Step::start_command:
        return {"processes"};
    case Step::enter_workdir:
    case Step::execute:
        return {};
    default:
        // Mounts, keyrings, the interface, the filter: what takes a namespace's capabilities away strikes here first.
        return {"kernel", "system-calls", "outer-filter", "apparmor"};
    }
}

void add_causes(Error& error, Step step, int error_number, std::string_view object, const Plan& plan, const Host& host,
                const Machine& machine) {
    if (step == Step::execute) {
        add_execute_causes(error, error_number, object, plan, host);
        return;
    }
    if (add_tree_causes(error, step, error_number, object, plan)) {
        return;
    }
    const std::vector<std::string_view> ids = suspect_checks(step);
    bool found = false;
    for (const Check& check : run_checks(machine, host)) {
        if (check.state != Check::State::ok && std::ranges::find(ids, check.id) != ids.end()) {
            error.cause(check.why).fix(check.fix);
            found = true;
        }
    }
    if (!found) {
        add_meaning(error, step, error_number, plan, machine);
    }
    if (error.fixes().empty()) {
        error.fix("sandboxctl doctor looks at the whole machine");
    }
}

void add_causes(Error& error, Step step, int error_number, std::string_view object, const Plan& plan,
                const Host& host) {
    add_causes(error, step, error_number, object, plan, host, step == Step::execute ? Machine{} : read_machine(host));
}

} // namespace sandbox
