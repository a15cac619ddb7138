// The last step of a run: the supervisor waits, passes signals on, keeps the terminal, and reports how CMD ended.
#pragma once

#include <sys/signalfd.h>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "cmd/sandbox/outcome.hpp"
#include "cmd/sandbox/recorder.hpp"
#include "cmd/sandbox/status_pipe.hpp"
#include "core/base/child_process.hpp"
#include "core/control.hpp"
#include "core/fuse_overlays.hpp"
#include "core/plan/plan.hpp"
#include "core/private_layers.hpp"
#include "core/refused_calls.hpp"
#include "core/sandbox_cgroup.hpp"
#include "core/signals.hpp"
#include "core/terminal.hpp"
#include "netns/network.hpp"

namespace sandbox {

/// Watches one sandbox from the moment its maps are written.
class Supervisor {
public:
    /// All must outlive it. `control` is the supervisor's end of the socket.
    Supervisor(const Plan& plan, const Signals& signals, ChildProcess& init, const SandboxCgroup& cgroup, int control,
               const StatusPipe& status, netns::Network& network, const PrivateLayers& layers, FuseOverlays& fuse,
               Recorder& recorder, RefusedCalls& refused);

    /// Waits until nothing of the sandbox is left.
    /// \throws StepError when a step of the child failed before CMD ran.
    [[nodiscard]] Outcome watch();

private:
    bool serve_message();
    void serve_signals();
    void on_message(control::Received received);
    void on_namespaces(control::Received received);
    void on_started();
    void on_signal(const signalfd_siginfo& signal);
    void on_timer();
    void arm_timer(std::chrono::milliseconds delay);
    void forward(int signal, bool whole_group);
    void tell_chosen_ports() const;
    void let_start();
    void serve_network(const pollfd* watched);
    void serve_layers(const pollfd* watched);
    void look_at_layers();
    void count_traffic();
    [[nodiscard]] bool maps_root() const;
    void end_before_start(int signal);
    void stop_with_command(int signal);
    [[nodiscard]] ChildProcess continue_at_deadline() const;
    [[nodiscard]] Outcome conclude();
    [[nodiscard]] Outcome outcome_of(int init_status, const RunUsage& usage) const;

    const Plan& plan_;
    const Signals& signals_;
    ChildProcess& init_;
    const SandboxCgroup& cgroup_;
    int control_;
    const StatusPipe& status_;
    netns::Network& network_;
    const PrivateLayers& layers_;
    FuseOverlays& fuse_;
    Recorder& recorder_;
    RefusedCalls& refused_;
    int listener_error_ = 0; ///< why nothing tells of refused calls
    std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
    Fd timer_;
    std::optional<terminal::Relay> relay_;
    bool may_start_ = false; ///< pid 1 has been told that all is there
    bool started_ = false;
    bool timed_out_ = false;
    bool control_open_ = true;
    pid_t command_ = 0;
    std::optional<int> ended_; ///< wait(2)'s status of CMD
    int aborted_by_ = 0;       ///< the signal that ended the run before CMD started
    std::vector<int> waiting_; ///< signals for CMD that came between its fork and the news of its execve
    std::string network_end_;
    std::optional<netns::Counters> traffic_; ///< counted for --stats
    std::string layer_end_;
    Fd stage_;                                 ///< root::Assembled's
    std::vector<SupervisorMessage> held_back_; ///< what came before pid 1 had heard that all is there
};

} // namespace sandbox
