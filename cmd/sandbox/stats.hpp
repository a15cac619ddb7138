// What a run used: --stats, and the message about a sandbox that wanted more memory than it had.
#pragma once

#include <sys/resource.h>

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "core/cgroup.hpp"
#include "core/plan/plan.hpp"
#include "netns/counters.hpp"

namespace sandbox {

/// Where there is no cgroup, wait4(2) still tells the time of the processes.
struct RunUsage {
    std::chrono::steady_clock::duration wall{};
    rusage processes{}; ///< of pid 1 and all that it reaped
    std::optional<CgroupUsage> cgroup;
    std::string obstacle;                   ///< why there is no cgroup
    std::optional<netns::Counters> network; ///< nothing where the sandbox has no interface of its own
};

/// The limit that is written to `file` of the cgroup; null for none.
[[nodiscard]] const CgroupLimit* find_limit(const CgroupPlan& plan, std::string_view file);

/// For people: a title, and a line a figure.
[[nodiscard]] std::string stats_text(const CgroupPlan& plan, const RunUsage& usage);

/// For programs: one JSON object on one line; null is not known. The fields: sandbox(1), STATISTICS.
[[nodiscard]] std::string stats_json(const RunUsage& usage);

/// "'make' was killed: it reached its memory limit of 512 MiB".
[[nodiscard]] std::string out_of_memory_text(const Plan& plan, const RunUsage& usage);

} // namespace sandbox
