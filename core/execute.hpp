// CMD's own process: forked by pid 1, takes its group, limits, signals and filter, and calls execve(2).
#pragma once

#include <signal.h>
#include <sys/types.h>

#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "core/base/step.hpp"
#include "core/plan/plan.hpp"
#include "core/seccomp.hpp"

namespace sandbox {

/// All that CMD's process needs, laid out by the supervisor before clone, so that nothing is allocated afterwards.
/// Refers to what it is made of, which must outlive it.
class Execution {
public:
    /// `signals` is the signal mask that CMD gets: the caller's.
    Execution(const ProcessPlan& process, const std::vector<EnvironmentEntry>& environment,
              const std::vector<ResourceLimit>& limits, const seccomp::Filter& filter, const sigset_t& signals);

    /// Puts `home` in the place of the environment's HOME, before `start`. Plain code.
    void set_home(const char* home);

    /// Lets CMD's process end with the one that starts it, which is no pid 1 then. Before `start`.
    void end_with_starter() { ends_with_starter_ = true; }

    /// Why CMD could not be executed.
    struct Failure {
        Step step = Step::execute;
        int error_number = 0; ///< 0: it was executed
        const char* object = "";
    };

    /// Starts CMD's process and comes back when it has been executed or has failed. Until then both have the same
    /// memory (CLONE_VM), so `failure` needs no pipe; with --explain the starter waits awake, else it sleeps
    /// (CLONE_VFORK). `terminal` is its controlling terminal, whose foreground group it becomes; -1 for none. `umask`
    /// is the caller's. `control` gets one message from the new process, which tells its pid by SCM_CREDENTIALS; and
    /// where the filter has a reporting form, one with its listener. \return the pid, or -1 and errno.
    [[nodiscard]] pid_t start(int terminal, mode_t umask, int control);

    [[nodiscard]] const Failure& failure() const { return failure_; }

private:
    /// Of CMD's filter.
    struct Listener {
        int descriptor = -1;  ///< the starter's; -1 for none
        int error_number = 0; ///< why there is none, though the filter has a reporting form; the plain one is loaded
    };

    static int entry(void* self);
    void become_command();
    /// \return the limit that the kernel refused, or null.
    [[nodiscard]] const ResourceLimit* set_limits() const;
    [[nodiscard]] bool load_filter();
    [[nodiscard]] pid_t start_watched();
    void hand_over_listener() const;
    void execute();
    void fail(Step step, const char* object);

    const std::vector<ResourceLimit>& limits_;
    const seccomp::Filter& filter_;
    sigset_t signals_;
    std::vector<char*> arguments_;
    std::vector<std::string> environment_words_;
    std::vector<char*> environment_;
    char home_[1100] = "HOME=";
    std::vector<const char*> candidates_;
    std::unique_ptr<char[]> stack_;
    int terminal_ = -1;
    mode_t umask_ = 022;
    int control_ = -1;
    bool ends_with_starter_ = false;
    pid_t starter_ = 0;
    Failure failure_;
    Listener listener_;
    /// -1 while CMD's process has this memory too; the kernel writes 0 when it has its own: CLONE_CHILD_CLEARTID.
    std::atomic<pid_t> shares_memory_ = 0;
    static_assert(sizeof shares_memory_ == sizeof(pid_t) && std::atomic<pid_t>::is_always_lock_free);
    std::atomic<bool> filter_is_loaded_ = false;
};

} // namespace sandbox
