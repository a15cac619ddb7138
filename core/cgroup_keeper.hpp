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
        char parent[3000] = {};    ///< where the sandbox's cgroup and the keeper's were made; ends with a zero
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

    /// Leaves `task.parent` as it was found, with this process in it.
    static void dissolve(const Task& task);

private:
    Fd pipe_;
    ChildProcess process_;
};

// The two cgroups below Task::parent.
constexpr const char* kSandboxCgroup = "/sandbox";
constexpr const char* kKeeperCgroup = "/keeper";

} // namespace sandbox
