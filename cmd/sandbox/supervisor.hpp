// Step 11 of a run: the supervisor waits, passes signals on, keeps the terminal, and reports how CMD ended.
#pragma once

#include <signal.h>
#include <sys/signalfd.h>

#include <chrono>
#include <cstdint>
#include <optional>

#include "cmd/sandbox/status_pipe.hpp"
#include "core/base/child_process.hpp"
#include "core/control.hpp"
#include "core/plan/plan.hpp"
#include "core/terminal.hpp"

namespace sandbox {

/// How a run ended.
struct Outcome {
    int status = 0;           ///< what `sandbox` exits with
    int signal = 0;           ///< of CMD's end, 0 for none
    bool timed_out = false;   ///< --timeout ended it
    bool init_killed = false; ///< pid 1 was killed from outside
};

/// The signals that a run passes on or acts on: blocked while it lasts and read from a descriptor. The caller's mask is
/// kept, for CMD.
class Signals {
public:
    /// Blocks all but what a crash raises, and takes SIGCHLD back to its default: a caller that ignores it would keep us
    /// from learning how CMD ended.
    Signals();
    Signals(const Signals&) = delete;
    Signals& operator=(const Signals&) = delete;
    ~Signals();

    [[nodiscard]] int descriptor() const { return descriptor_.get(); }
    [[nodiscard]] const sigset_t& callers_mask() const { return callers_mask_; }

private:
    sigset_t callers_mask_{};
    Fd descriptor_;
};

/// Watches one sandbox from the moment its maps are written.
class Supervisor {
public:
    /// All must outlive it. `control` is the supervisor's end of the socket.
    Supervisor(const Plan& plan, const Signals& signals, ChildProcess& init, int control, const StatusPipe& status);

    /// Waits until nothing of the sandbox is left.
    /// \throws StepError when a step of the child failed before CMD ran.
    [[nodiscard]] Outcome watch();

private:
    void serve_messages();
    void on_message(control::Received received);
    void on_signal(const signalfd_siginfo& signal);
    void on_timer();
    void arm_timer(std::chrono::milliseconds delay);
    void forward(int signal, bool whole_group);
    void abort_start(int signal);
    void stop_with_command();
    void let_go_of_standard_streams();
    [[nodiscard]] Outcome conclude();

    const Plan& plan_;
    const Signals& signals_;
    ChildProcess& init_;
    int control_;
    const StatusPipe& status_;
    Fd timer_;
    std::optional<terminal::Relay> relay_;
    bool started_ = false;
    bool timed_out_ = false;
    bool control_open_ = true;
    pid_t command_ = 0;
    std::optional<int> ended_;  ///< wait(2)'s status of CMD
    int aborted_by_ = 0;        ///< the signal that ended the run before CMD started
};

} // namespace sandbox
