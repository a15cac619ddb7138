// What `sandboxctl exec` starts in a sandbox that runs: its record, and what the options add, as plain data.
#pragma once

#include <sys/resource.h>

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "cmd/common/run_record.hpp"
#include "core/base/identity.hpp"
#include "core/plan/plan.hpp"

namespace sandbox {

/// The options, as they were written, and CMD's words.
struct ExecWish {
    std::optional<std::string> user;      ///< --user
    std::vector<std::string> environment; ///< --env, each "NAME=VALUE"
    std::optional<std::string> workdir;   ///< --workdir
    bool tty = false;
    bool no_tty = false;
    std::vector<std::string> arguments;
};

/// Who asks, and from where.
struct ExecCaller {
    std::uint32_t uid = 0;
    std::uint32_t gid = 0;
    std::array<rlimit, RLIM_NLIMITS> limits{};
    std::array<bool, 3> is_terminal{}; ///< standard input, output and error
};

/// The caller, as the kernel sees this process.
[[nodiscard]] ExecCaller this_caller();

/// CMD's restrictions are the run's own, or stricter.
struct ExecPlan {
    Identity identity;
    bool drops_groups = true;
    CapabilitiesPlan capabilities;
    ProcessPlan process;
    std::vector<EnvironmentEntry> environment;
    std::vector<ResourceLimit> limits; ///< those that differ from the caller's
};

/// A pure function. \throws Error for a user that the sandbox has not, a variable without a value, a command that
/// cannot be named; with 127 where PATH names no directory.
[[nodiscard]] ExecPlan plan_exec(const RunRecord& record, const ExecWish& wish, const ExecCaller& caller);

} // namespace sandbox
