// A process that is named once and used later: its number, and the start time that tells it from a later one with that
// number.
#pragma once

#include <sys/types.h>

#include <cstdint>

#include "core/base/fd.hpp"

namespace sandbox {

struct ProcessIdentity {
    pid_t pid = 0;
    std::uint64_t start_time = 0; ///< clock ticks after the machine's start: proc_pid_stat(5), field 22

    bool operator==(const ProcessIdentity&) const = default;
};

/// The process that has the number now; its start time is 0 where there is none.
[[nodiscard]] ProcessIdentity identify(pid_t pid);

/// The parent of the process that has the number now; 0 where there is none.
[[nodiscard]] pid_t parent_of(pid_t pid);

/// A pidfd that is this process's and no other's: pidfd_open(2). \return nothing where it has ended.
[[nodiscard]] Fd open_process(const ProcessIdentity& process);

} // namespace sandbox
