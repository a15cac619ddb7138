// What a run refused, gathered at its end: what the report's two forms have to tell.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "cmd/sandbox/explain.hpp"
#include "cmd/sandbox/outcome.hpp"
#include "core/lost_writes.hpp"
#include "core/plan/host.hpp"
#include "core/plan/origin.hpp"
#include "core/plan/path_grant.hpp"
#include "core/plan/plan.hpp"
#include "core/plan/seccomp_grant.hpp"

namespace sandbox {

/// Refused calls that read the same but for the program.
struct RefusedCallGroup {
    std::string object; ///< "ptrace", "socket AF_VSOCK"
    std::uint64_t count = 0;
    std::vector<std::string> programs; ///< as they call themselves: proc_pid_comm(5)
    const Origin* origin = nullptr;
    Grant grant;
    int error_number = 0;
};

/// A limit that CMD was kept to.
struct ReachedLimit {
    std::string name;        ///< the key in [limits]: "pids"
    std::string value;       ///< "512 processes and threads"
    std::uint64_t count = 0; ///< of forks refused, of processes killed; 1 for the time limit
    const Origin* origin = nullptr;
    bool is_told = false; ///< that CMD ended by it is told in any case
};

/// What is gone with a private place.
struct LostFiles {
    LostWrites writes;
    PathAdvice advice;
    bool is_routine = false; ///< what programs leave behind as a matter of course
};

/// What would show a hidden name that CMD looked at.
[[nodiscard]] Grant grant_for_hidden(const std::string& name);

/// What to do about a limit that was reached: how much would be enough nobody knows.
[[nodiscard]] std::string advice_on(const ReachedLimit& limit);

/// Most important first in each list. What is told of --explain's files is in none of the others.
struct Refusals {
    std::vector<RefusedCallGroup> calls;
    std::vector<ReachedLimit> limits;
    std::vector<RefusedFile> files;
    std::uint64_t files_left_out = 0; ///< names of files that found no place
    std::vector<LostFiles> lost;
    bool lost_is_complete = true;
    std::vector<std::string> hidden; ///< "~/.ssh"
};

/// All must outlive the result. Takes the names of files out of the outcome: they may be many.
[[nodiscard]] Refusals gather_refusals(Outcome& outcome, const Plan& plan, const Host& host);

} // namespace sandbox
