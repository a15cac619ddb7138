// What a running sandbox uses: from its cgroup, and what that does not count from its processes.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "cmd/common/json.hpp"
#include "cmd/common/run_record.hpp"
#include "core/process_table.hpp"
#include "netns/counters.hpp"

namespace sandbox::ctl {

/// Nothing is not known.
struct Figures {
    using Count = std::optional<std::uint64_t>;

    bool from_cgroup = false;
    bool from_processes = false;
    Count pids; ///< processes and threads
    Count memory;
    Count memory_peak;
    Count cpu_microseconds;
    Count throttled_microseconds;
    Count bytes_read;
    Count bytes_written;
    std::optional<netns::Counters> network; ///< nothing where it has no interface of its own
};

[[nodiscard]] Figures measure(const RunRecord& record, const ProcessTable& processes);

/// "cgroup", "processes" or "both".
[[nodiscard]] std::string_view counted_by(const Figures& figures);

/// The members that `ps` and `stats` have in common.
void add_to(Json& object, const Figures& figures);

} // namespace sandbox::ctl
