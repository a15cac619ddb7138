// The processes of the machine, as /proc shows them at one moment: proc_pid_stat(5).
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <vector>

#include "core/process_identity.hpp"

namespace sandbox {

struct ProcessFacts {
    ProcessIdentity identity;
    pid_t parent = 0;
    std::uint64_t mount_namespace = 0; ///< 0: it may not be looked at
    std::uint64_t threads = 0;
    std::uint64_t cpu_microseconds = 0; ///< its own, and that of the children that it has waited for
    std::uint64_t resident_bytes = 0;   ///< what it shares with others is counted in each
};

/// What a tree of processes uses, added up.
struct TreeUsage {
    std::uint64_t pids = 0; ///< processes and threads
    std::uint64_t cpu_microseconds = 0;
    std::uint64_t resident_bytes = 0;
    std::uint64_t bytes_read = 0; ///< from disks, by what runs now and may be looked at: proc_pid_io(5)
    std::uint64_t bytes_written = 0;
};

class ProcessTable {
public:
    /// Looks at all of them.
    ProcessTable();

    /// The tree below `root`, and whatever else is in the mount namespace: who has entered it has another parent. (The
    /// network's helper is in the user namespace too.)
    /// \return nothing where `root` has ended.
    [[nodiscard]] std::optional<TreeUsage> usage(const ProcessIdentity& root, std::uint64_t mount_namespace) const;

private:
    std::vector<ProcessFacts> processes_;
};

} // namespace sandbox
