// The process that keeps a sandbox's cgroups while the supervisor reads them, and takes them away when it is gone.
#pragma once

#include <sys/types.h>

#include <string>

#include "core/base/child_process.hpp"
#include "core/base/fd.hpp"

namespace sandbox {

/// systemd removes a scope, and with it all that was counted, as soon as it is empty: this process stands in it. It
/// outlives a supervisor that is killed, and then ends what is left in the sandbox's cgroup. Out of CMD's reach: it is
/// in neither its namespaces nor its cgroup.
class CgroupKeeper {
public:
    /// What is to be done in the end.
    struct Task {
        char parent[3000] = {};    ///< where the sandbox's cgroup and the keeper's are made; ends with a zero
        pid_t supervisor = 0;      ///< whose they are: others can have theirs beside them
        bool dissolves = false;    ///< both are removed, for nobody else does it
        char switch_off[256] = {}; ///< "-memory -pids": what the parent gave its children for our sake
    };

    /// Starts it. \throws Error
    CgroupKeeper();
    CgroupKeeper(const CgroupKeeper&) = delete;
    CgroupKeeper& operator=(const CgroupKeeper&) = delete;
    /// Lets it do its task, and waits for it.
    ~CgroupKeeper();

    [[nodiscard]] pid_t pid() const { return process_.pid(); }
    /// May be said again; the last one counts.
    void set(const Task& task) const;

    /// The directories of the two cgroups of a run.
    [[nodiscard]] static std::string sandbox_directory(const Task& task);
    [[nodiscard]] static std::string keeper_directory(const Task& task);
    /// Removes the sandbox's cgroup, switches off in `task.parent` what was switched on, and puts this process there.
    static void dissolve(const Task& task);

private:
    Fd pipe_;
    ChildProcess process_;
};

} // namespace sandbox
