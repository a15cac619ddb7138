// The cgroup of a run: asked for while the maps are written, in force before CMD starts, gone at the end.
#pragma once

#include <sys/types.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/base/error.hpp"
#include "core/cgroup.hpp"
#include "core/cgroup_keeper.hpp"
#include "core/plan/plan.hpp"
#include "core/transient_scope.hpp"

namespace sandbox {

/// Finds the place that the plan names, makes the sandbox's cgroup in it, and limits it. Does nothing where the plan
/// wants none.
class SandboxCgroup {
public:
    /// Asks for the place; waits for nothing.
    /// \param name of the sandbox or its CMD, for people. \param child the sandbox's first process; it has the caller's
    /// uid, for systemd moves no other.
    /// \param companions processes beside the sandbox that its limits hold for too; they wait, with the caller's uid.
    SandboxCgroup(const CgroupPlan& plan, std::string name, pid_t child, std::vector<pid_t> companions = {});
    SandboxCgroup(const SandboxCgroup&) = delete;
    SandboxCgroup& operator=(const SandboxCgroup&) = delete;
    ~SandboxCgroup();

    /// Waits for the place. From here on the limits hold for the child and what it starts.
    /// \return notices about limits that are off, where the plan lets them be.
    /// \throws Error for a required limit that cannot be held; nothing is left of the cgroup once this object is gone.
    [[nodiscard]] std::vector<std::string> settle();

    /// The directory that the sandbox's processes are in; empty where there is none.
    [[nodiscard]] std::string directory() const { return cgroup_ && obstacle_.empty() ? cgroup_->path() : ""; }
    /// The scope of systemd that it lies in; empty where it lies in none.
    [[nodiscard]] std::string unit() const { return directory().empty() ? "" : unit_; }

    /// What has been counted; nothing where there is no cgroup.
    [[nodiscard]] std::optional<CgroupUsage> usage() const;
    /// Whether a signal came that ends the run before it starts; no limit is in force then.
    [[nodiscard]] bool is_told_to_end() const { return is_told_to_end_; }
    /// Why there is none, for people.
    [[nodiscard]] const std::string& obstacle() const { return obstacle_; }

private:
    void ask_systemd();
    void find_place();
    void use_scope();
    void use_subtree();
    void fill(const std::string& parent);
    void move_apart(const std::string& parent);
    void enable_controllers(const std::string& parent);
    bool try_to_set(const CgroupLimit& limit);
    void give_up(const Error& error);

    const CgroupPlan& plan_;
    pid_t child_;
    std::vector<pid_t> companions_;
    std::string name_;
    std::string unit_;
    std::string obstacle_;
    std::vector<CgroupLimit> limits_; ///< of the plan's, those that are not off
    std::vector<std::string> notices_;
    CgroupKeeper::Task task_;
    std::optional<CgroupKeeper> keeper_;
    std::optional<TransientScope> scope_;
    std::optional<Error> refused_; ///< why systemd gave none
    bool is_told_to_end_ = false;
    std::optional<Cgroup> cgroup_;
};

} // namespace sandbox
