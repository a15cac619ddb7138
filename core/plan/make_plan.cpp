#include "core/plan/capabilities_plan.hpp"
#include "core/plan/duration.hpp"
#include "core/plan/environment_plan.hpp"
#include "core/plan/filesystem_plan.hpp"
#include "core/plan/ids_plan.hpp"
#include "core/plan/layers.hpp"
#include "core/plan/namespaces_plan.hpp"
#include "core/plan/plan.hpp"
#include "core/plan/process_plan.hpp"
#include "core/plan/seccomp_plan.hpp"

namespace sandbox {

Plan make_plan(const Profile& profile, const Command& command, const Host& host) {
    const Layers layers(profile);
    Plan plan;
    plan.profile = profile.name;
    plan.name = command.name;
    plan.data_dir = host.data_dir;

    plan.ids = plan_ids(profile.ids, host);
    plan.namespaces = plan_namespaces(profile, command, layers);
    FilesystemPlan filesystem = plan_filesystem(profile, host, layers, plan.namespaces, plan.notices);
    plan.root = std::move(filesystem.root);
    plan.capabilities = plan_capabilities(profile.capabilities, layers, plan.notices);
    plan.seccomp = plan_seccomp(profile);
    plan.environment = plan_environment(profile.environment, host, filesystem.workdir, layers, plan.notices);
    plan.process = plan_process(profile.process, command, host, filesystem.workdir, plan.environment);
    plan.process.workdir_origin = filesystem.workdir_origin;
    if (profile.limits.timeout) {
        plan.timeout = parse_duration(*profile.limits.timeout.value, profile.limits.timeout.origin);
        plan.timeout_origin = profile.limits.timeout.origin;
    }
    return plan;
}

} // namespace sandbox
