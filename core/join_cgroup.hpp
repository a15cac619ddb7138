// A process enters the cgroup of a sandbox that runs.
#pragma once

#include <sys/types.h>

#include <string>

namespace sandbox {

/// The scope of systemd that a cgroup lies in; empty where it lies in none.
struct ScopeOfCgroup {
    std::string unit;
    std::string bus; ///< of the systemd that has made it
};

/// Moves `process`, which still has the caller's uid, into the cgroup `directory`, and looks whether it is there. Where
/// the kernel lets the caller not (both cgroups must lie in one that is the caller's: cgroups(7)) systemd is asked. An
/// empty directory is no cgroup: nothing is done. \throws Error
void join_cgroup(const std::string& directory, const ScopeOfCgroup& scope, pid_t process);

} // namespace sandbox
