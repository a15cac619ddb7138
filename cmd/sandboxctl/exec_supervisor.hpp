// The caller's side of `sandboxctl exec`: waits for CMD in the sandbox, passes signals on, keeps the terminal.
#pragma once

#include <sys/signalfd.h>

#include <optional>
#include <vector>

#include "cmd/sandboxctl/exec_entry.hpp"
#include "core/base/child_process.hpp"
#include "core/base/error.hpp"
#include "core/base/fd.hpp"
#include "core/control.hpp"
#include "core/signals.hpp"
#include "core/terminal.hpp"

namespace sandbox::ctl {

/// Watches the child that enters, and then the guest, a child of this process as well.
class ExecSupervisor {
public:
    /// All but `control`, this side's end of the socket, must outlive it.
    ExecSupervisor(const EnteredRun& run, const ExecPlan& plan, const Signals& signals, ChildProcess& child,
                   Fd control);
    ExecSupervisor(const ExecSupervisor&) = delete;
    ExecSupervisor& operator=(const ExecSupervisor&) = delete;
    /// Whatever is left of CMD's process is killed.
    ~ExecSupervisor();

    /// \return CMD's exit status, as a shell has it. \throws Error where CMD was not started, or cannot be heard of.
    [[nodiscard]] int watch();

private:
    bool serve_message();
    void on_message(control::Received received);
    void on_entered(pid_t guest);
    void serve_signals();
    void on_signal(const signalfd_siginfo& signal);
    void end_before_start(int signal);
    void forward(int signal, bool whole_group);
    void stop_with_command(int signal);
    [[nodiscard]] bool is_over() const;
    [[nodiscard]] bool has_sandbox_ended() const;
    [[nodiscard]] Error ended_before_start() const;
    [[nodiscard]] int conclude();

    const EnteredRun& run_;
    const ExecPlan& plan_;
    const Signals& signals_;
    ChildProcess& child_;
    Fd control_;
    Fd guest_;                 ///< a pidfd; nothing until it has entered
    std::optional<int> ended_; ///< wait(2)'s status of CMD
    std::optional<terminal::Relay> relay_;
    bool started_ = false;
    bool has_command_ = false;                 ///< CMD's process is there, and may be CMD already
    int aborted_by_ = 0;                       ///< the signal that ended all before CMD started
    bool may_go_on_ = false;                   ///< the guest has been told so
    std::vector<SupervisorMessage> held_back_; ///< what came before that
};

} // namespace sandbox::ctl
