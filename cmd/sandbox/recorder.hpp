// The supervisor's side of the record of a run: claimed before anything else, written before CMD starts, gone at the
// end, unless the run was detached.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

#include "core/base/fd.hpp"
#include "core/base/identity.hpp"
#include "core/base/message.hpp"
#include "core/namespaces.hpp"
#include "core/plan/plan.hpp"
#include "core/run_registry.hpp"
#include "core/sandbox_cgroup.hpp"
#include "core/seccomp.hpp"
#include "netns/counters.hpp"
#include "netns/listeners.hpp"

namespace sandbox {

/// All that is known of a run once its namespaces are made.
struct RunFacts {
    pid_t init = 0;
    const Identity& identity;
    const SandboxCgroup& cgroup;
    const std::vector<netns::Listener>& listeners;
};

class Recorder {
public:
    /// Takes the plan's name, or makes one. `plan` must outlive it. \param detached the entry stays behind the run's
    /// end. \throws Error where the record is needed, for a name or a detached run, and cannot be had. Another goes on
    /// without.
    Recorder(const Plan& plan, bool detached);

    /// Of the run; empty where it is not recorded.
    [[nodiscard]] std::string name() const { return entry_ ? entry_->name() : std::string(); }

    /// The directory of the entry, of a detached run.
    [[nodiscard]] int directory() const { return entry_ ? entry_->directory() : -1; }

    /// CMD's filter, for the record. It must outlive the run.
    void hold(const seccomp::Program& program) { program_ = &program; }

    /// Keeps the namespaces open, for those who enter the sandbox later, and writes the record.
    /// \throws Error where the record is needed and cannot be written.
    void record(namespaces::Opened namespaces, const RunFacts& facts);

    [[nodiscard]] bool has_namespaces() const { return namespaces_.front().get() >= 0; }
    [[nodiscard]] NamespaceInodes inodes() const;
    /// What has gone through the sandbox's network interface; nothing where that is not known.
    [[nodiscard]] std::optional<netns::Counters> traffic() const;

    /// CMD has been executed: the entry of a detached run stays from now on.
    void started();

    /// How the run ended, for those who wait for it: ended_record.
    void ended(const std::string& status) const;

private:
    void write(const RunFacts& facts) const;

    const Plan& plan_;
    bool is_detached_;
    bool is_needed_;
    const seccomp::Program* program_ = nullptr;
    std::optional<RunEntry> entry_;
    namespaces::Opened namespaces_;
};

} // namespace sandbox
