#include "cmd/sandboxctl/exec_supervisor.hpp"

#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <utility>

#include "cmd/common/print.hpp"
#include "core/base/error.hpp"
#include "core/base/exit_status.hpp"
#include "core/base/step_error.hpp"
#include "core/base/sys.hpp"
#include "core/join_cgroup.hpp"
#include "core/process_identity.hpp"
#include "core/standard_streams.hpp"

namespace sandbox::ctl {

namespace {

constexpr int kForegroundCheck = 200; // milliseconds
constexpr int kLeaveTaking = 2000;    // milliseconds: how long the guest may take to kill CMD

bool ends_within(int pidfd, int milliseconds) {
    pollfd watched{pidfd, POLLIN, 0};
    return ::poll(&watched, 1, milliseconds) > 0;
}

} // namespace

ExecSupervisor::ExecSupervisor(const EnteredRun& run, const ExecPlan& plan, const Signals& signals, ChildProcess& child,
                               Fd control)
    : run_(run), plan_(plan), signals_(signals), child_(child), control_(std::move(control)) {}

ExecSupervisor::~ExecSupervisor() {
    control_.reset(); // the guest then kills CMD
    if (guest_ && !ends_within(guest_.get(), kLeaveTaking)) {
        sys::pidfd_send_signal(guest_.get(), SIGKILL);
    }
}

int ExecSupervisor::watch() {
    enum : std::size_t { kSignals, kMessages, kGuest, kRun, kTerminal, kCount = kTerminal + terminal::Relay::kWatched };
    while (!is_over()) {
        std::array<pollfd, kCount> watched;
        watched.fill({.fd = -1, .events = POLLIN, .revents = 0}); // poll(2) passes over a negative descriptor
        watched[kSignals].fd = signals_.descriptor();
        watched[kMessages].fd = control_.get();
        watched[kGuest].fd = guest_.get();
        // In the host's pid namespace nobody else ends CMD with the sandbox.
        watched[kRun].fd = run_.record.shares_pid_namespace ? run_.supervisor.get() : -1;
        // A key that stops CMD between its vfork(2) and its execve(2) would stop who waits there for the latter.
        if (relay_ && started_) {
            relay_->watch(&watched[kTerminal]);
        }
        const bool in_background = relay_ && relay_->in_background();
        if (::poll(watched.data(), watched.size(), in_background ? kForegroundCheck : -1) < 0 && errno != EINTR) {
            throw Error("cannot watch the command in the sandbox").kernel(errno);
        }
        if (relay_ && started_) {
            relay_->serve(&watched[kTerminal]);
        }
        if (in_background) {
            relay_->resume();
        }
        if (watched[kMessages].revents != 0) {
            serve_message();
        }
        if (watched[kSignals].revents != 0) {
            serve_signals();
        }
        if (watched[kRun].revents != 0) {
            control_.reset();
        }
    }
    while (serve_message()) { // its last words may have come together with its end
    }
    if (relay_) {
        relay_->finish(signals_);
        relay_.reset();
    }
    return conclude();
}

/// The guest has ended; or nobody is left who could become one.
bool ExecSupervisor::is_over() const {
    return guest_ ? ends_within(guest_.get(), 0) : !control_ || aborted_by_ != 0;
}

bool ExecSupervisor::serve_message() {
    if (!control_) {
        return false;
    }
    std::optional<control::Received> received = control::receive(control_.get());
    if (received) {
        on_message(std::move(*received));
        return true;
    }
    if (errno != EAGAIN) {
        control_.reset();
    }
    return false;
}

void ExecSupervisor::on_message(control::Received received) {
    switch (received.message.kind) {
    case ChildMessage::Kind::failed: {
        const StepFailure& failure = received.message.failure;
        // fork(2) into a pid namespace whose pid 1 has ended gives ENOMEM, as where there is no memory.
        if (failure.step == Step::enter_pid_namespace && failure.error_number == ENOMEM && has_sandbox_ended()) {
            throw ended_before_start();
        }
        throw StepError(failure.step, failure.object, failure.error_number);
    }
    case ChildMessage::Kind::entered:
        on_entered(received.sender);
        break;
    case ChildMessage::Kind::terminal:
        relay_.emplace(std::move(received.descriptor),
                       plan_.process.terminal ? terminal::Relay::Direction::both : terminal::Relay::Direction::output);
        break;
    case ChildMessage::Kind::command:
        has_command_ = true;
        break;
    case ChildMessage::Kind::started:
        started_ = true;
        // Errors keep their stream, and a relay in both directions needs the other two.
        if (!plan_.process.terminal) {
            let_go_of_standard_streams(STDOUT_FILENO);
        }
        break;
    case ChildMessage::Kind::stopped:
        stop_with_command(received.message.status);
        break;
    case ChildMessage::Kind::exited:
        ended_ = received.message.status;
        break;
    case ChildMessage::Kind::network:
    case ChildMessage::Kind::namespaces:
    case ChildMessage::Kind::layer:
    case ChildMessage::Kind::listener:
        break; // pid 1 says these, to its own supervisor
    }
}

/// The guest waits.
void ExecSupervisor::on_entered(pid_t guest) {
    // A child that nobody has waited for: the number is its own.
    guest_.reset(sys::pidfd_open(guest));
    if (!guest_) {
        throw Error("cannot watch the process in the sandbox").kernel(errno);
    }
    child_.wait(); // it ends when it has forked the guest
    // pid 1 cannot end before each process of its namespace is reaped, and this one may be stopped when it does: from
    // here on the kernel reaps. How CMD ends is told by the guest.
    struct sigaction reaping {};
    reaping.sa_handler = SIG_IGN;
    ::sigaction(SIGCHLD, &reaping, nullptr);
    if (ends_within(guest_.get(), 0)) {
        ::waitpid(guest, nullptr, WNOHANG);
        return;
    }
    join_cgroup(run_.record.cgroup, {.unit = run_.record.unit, .bus = run_.record.bus}, guest);
    may_go_on_ = control::send(control_.get(), SupervisorMessage{});
    for (const SupervisorMessage& message : std::exchange(held_back_, {})) {
        control::send(control_.get(), message);
    }
}

void ExecSupervisor::serve_signals() {
    while (const std::optional<signalfd_siginfo> signal = signals_.next()) {
        on_signal(*signal);
    }
}

void ExecSupervisor::on_signal(const signalfd_siginfo& signal) {
    const int number = static_cast<int>(signal.ssi_signo);
    switch (number) {
    case SIGCONT:
        if (relay_) {
            relay_->resume();
        }
        break;
    case SIGWINCH:
        if (relay_) {
            return relay_->copy_size(); // the kernel tells CMD's group through its own terminal
        }
        break;
    default:
        if (is_our_own(number)) {
            return;
        }
        if (asks_to_end(number) && !started_) {
            return end_before_start(number);
        }
        break;
    }
    forward(number, is_for_group(signal));
}

void ExecSupervisor::end_before_start(int signal) {
    // What has been said and we have not read yet decides: CMD's process may be there, and may be CMD already.
    while (serve_message()) {
    }
    if (started_ || has_command_) {
        return forward(signal, false);
    }
    aborted_by_ = signal;
    sys::pidfd_send_signal(guest_ ? guest_.get() : child_.pidfd(), SIGKILL);
}

void ExecSupervisor::forward(int signal, bool whole_group) {
    const SupervisorMessage message{
        .kind = SupervisorMessage::Kind::signal, .signal = signal, .whole_group = whole_group};
    if (!may_go_on_) {
        held_back_.push_back(message);
    } else if (control_) {
        control::send(control_.get(), message);
    }
    // It has CMD's uid, and so can be stopped from inside: who asks for the end is heard all the same.
    if (guest_ && asks_to_end(signal)) {
        sys::pidfd_send_signal(guest_.get(), SIGCONT);
    }
}

void ExecSupervisor::stop_with_command(int signal) {
    // The shell that started us sees one job: it stops when CMD does, and SIGCONT, which we pass on, lets both go on.
    if (relay_) {
        relay_->suspend();
    }
    const bool was_continued = signals_.stop_self();
    if (relay_) {
        relay_->resume();
    }
    // No shell is there to continue us both: then Ctrl-Z does not stop CMD either, as without a sandbox. SIGSTOP would.
    if (!was_continued && signal == SIGTSTP) {
        forward(SIGCONT, true);
    }
}

Error ExecSupervisor::ended_before_start() const {
    return Error("the sandbox " + quoted(run_.record.name) + " ended before the command was started in it");
}

/// Its end is that of its pid 1, whatever the supervisor still has to clear up. A moment is given to it: the other
/// processes end before.
bool ExecSupervisor::has_sandbox_ended() const {
    const Fd init = open_process(run_.record.init);
    return !init || ends_within(init.get(), kLeaveTaking);
}

int ExecSupervisor::conclude() {
    if (ended_) {
        return WIFSIGNALED(*ended_) ? kSignalBase + WTERMSIG(*ended_) : WEXITSTATUS(*ended_);
    }
    if (aborted_by_ != 0) {
        return kSignalBase + aborted_by_;
    }
    const std::string name = quoted(run_.record.name);
    // Its process may have been CMD already, and the guest killed before it said so.
    if (!started_ && !has_command_) {
        throw has_sandbox_ended() ? ended_before_start()
                                  : Error("the process that entered the sandbox " + name + " was killed there");
    }
    complain(has_sandbox_ended() ? "the sandbox " + name + " ended, and the command with it"
                                 : "the process that looks after the command was killed in the sandbox " + name,
             "sandboxctl");
    return kSignalBase + SIGKILL;
}

} // namespace sandbox::ctl
