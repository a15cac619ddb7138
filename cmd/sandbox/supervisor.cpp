#include "cmd/sandbox/supervisor.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>

#include "core/base/step_error.hpp"
#include "core/init.hpp"

namespace sandbox {

namespace {

constexpr std::chrono::milliseconds kGracePeriod{10'000};
constexpr int kForegroundCheck = 200; // milliseconds
constexpr int kStatusTimedOut = 124; // as timeout(1)
constexpr int kSignalBase = 128;

/// From the keyboard the kernel signals the whole foreground group; CMD's group is not that group, so we do it for it.
bool from_keyboard(const signalfd_siginfo& signal) {
    return signal.ssi_code == SI_KERNEL;
}

} // namespace

Signals::Signals() {
    sigset_t all;
    ::sigfillset(&all);
    for (const int crash : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGABRT, SIGSYS}) {
        ::sigdelset(&all, crash);
    }
    ::sigprocmask(SIG_SETMASK, &all, &callers_mask_);
    struct sigaction normal{};
    normal.sa_handler = SIG_DFL;
    ::sigaction(SIGCHLD, &normal, nullptr);
    descriptor_.reset(::signalfd(-1, &all, SFD_CLOEXEC | SFD_NONBLOCK));
    if (!descriptor_) {
        throw Error("cannot listen for signals").kernel(errno);
    }
}

Signals::~Signals() {
    ::sigprocmask(SIG_SETMASK, &callers_mask_, nullptr);
}

Supervisor::Supervisor(const Plan& plan, const Signals& signals, ChildProcess& init, int control, const StatusPipe& status)
    : plan_(plan), signals_(signals), init_(init), control_(control), status_(status) {
    if (plan.timeout) {
        timer_.reset(::timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK));
        if (!timer_) {
            throw Error("cannot make a timer for the time limit").kernel(errno);
        }
    }
}

Outcome Supervisor::watch() {
    for (bool init_runs = true; init_runs || (relay_ && !relay_->finished());) {
        pollfd watched[4 + terminal::Relay::kWatched] = {
            {signals_.descriptor(), POLLIN, 0},
            {control_open_ ? control_ : -1, POLLIN, 0},
            {init_runs ? init_.pidfd() : -1, POLLIN, 0},
            {timer_ ? timer_.get() : -1, POLLIN, 0},
        };
        pollfd* const terminal = watched + 4;
        for (std::size_t i = 0; i < terminal::Relay::kWatched; ++i) {
            terminal[i] = {-1, 0, 0};
        }
        if (relay_) {
            relay_->watch(terminal);
        }
        const bool in_background = relay_ && relay_->in_background();
        ::poll(watched, std::size(watched), in_background ? kForegroundCheck : -1);

        if (relay_) {
            relay_->serve(terminal);
        }
        if (in_background) {
            relay_->resume();
        }
        if (watched[1].revents != 0) {
            serve_messages();
        }
        signalfd_siginfo signal{};
        while (::read(signals_.descriptor(), &signal, sizeof signal) == static_cast<ssize_t>(sizeof signal)) {
            on_signal(signal);
        }
        if (watched[3].revents != 0) {
            on_timer();
        }
        if (watched[2].revents != 0) {
            init_runs = false;
        }
    }
    return conclude();
}

void Supervisor::serve_messages() {
    std::optional<control::Received> received = control::receive(control_, false);
    if (!received) {
        control_open_ = errno == EAGAIN;
        return;
    }
    on_message(std::move(*received));
}

void Supervisor::on_message(control::Received received) {
    switch (received.message.kind) {
    case ChildMessage::Kind::failed: {
        const StepFailure& failure = received.message.failure;
        throw StepError(failure.step, failure.object, failure.error_number);
    }
    case ChildMessage::Kind::terminal:
        relay_.emplace(std::move(received.descriptor));
        break;
    case ChildMessage::Kind::command:
        command_ = received.sender;
        break;
    case ChildMessage::Kind::started:
        started_ = true;
        status_.started(command_, init_.pid(), received.message.namespaces);
        let_go_of_standard_streams();
        if (plan_.timeout) {
            arm_timer(*plan_.timeout);
        }
        break;
    case ChildMessage::Kind::stopped:
        stop_with_command();
        break;
    case ChildMessage::Kind::continued:
        break;
    case ChildMessage::Kind::exited:
        ended_ = received.message.status;
        break;
    }
}

void Supervisor::let_go_of_standard_streams() {
    if (relay_) {
        return;
    }
    // Whoever reads CMD's output sees its end when CMD's processes have closed it, not when we end; errors keep theirs.
    const Fd null(::open("/dev/null", O_RDWR | O_CLOEXEC));
    if (null) {
        ::dup2(null.get(), STDIN_FILENO);
        ::dup2(null.get(), STDOUT_FILENO);
    }
}

void Supervisor::on_signal(const signalfd_siginfo& signal) {
    const int number = static_cast<int>(signal.ssi_signo);
    switch (number) {
    case SIGCHLD:
    case SIGPIPE:
    case SIGTTIN:
    case SIGTTOU:
        return; // ours to bear
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
    case SIGHUP:
    case SIGINT:
    case SIGQUIT:
    case SIGTERM:
        if (!started_) {
            return abort_start(number);
        }
        break;
    default:
        break;
    }
    const bool group = from_keyboard(signal) || number == SIGTSTP || number == SIGCONT || number == SIGWINCH;
    forward(number, group);
}

void Supervisor::forward(int signal, bool whole_group) {
    control::send(control_, SupervisorMessage{.kind = SupervisorMessage::Kind::signal, .signal = signal,
                                              .whole_group = whole_group});
}

void Supervisor::abort_start(int signal) {
    aborted_by_ = signal;
    init_.kill(SIGKILL);
}

void Supervisor::stop_with_command() {
    // The shell that started us sees one job: it stops when CMD does, and goes on with it.
    if (relay_) {
        relay_->suspend();
    }
    ::kill(::getpid(), SIGSTOP);
    if (relay_) {
        relay_->resume();
    }
    forward(SIGCONT, true);
}

void Supervisor::arm_timer(std::chrono::milliseconds delay) {
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(delay);
    itimerspec when{};
    when.it_value.tv_sec = seconds.count();
    when.it_value.tv_nsec = std::chrono::nanoseconds(delay - seconds).count();
    ::timerfd_settime(timer_.get(), 0, &when, nullptr);
}

void Supervisor::on_timer() {
    std::uint64_t expirations = 0;
    if (::read(timer_.get(), &expirations, sizeof expirations) < 0) {
        return;
    }
    if (timed_out_) {
        init_.kill(SIGKILL); // the grace period is over
        return;
    }
    timed_out_ = true;
    forward(SIGTERM, true);
    forward(SIGCONT, true); // a stopped process cannot take its leave
    arm_timer(kGracePeriod);
}

Outcome Supervisor::conclude() {
    // pid 1's last words may have come together with its end.
    while (control_open_) {
        serve_messages();
    }
    relay_.reset();
    const int init_status = init_.wait();
    if (!plan_.namespaces.pid) {
        // Without a pid namespace of their own, CMD's processes outlive pid 1 and become our children.
        init::kill_descendants();
    }
    Outcome outcome;
    if (timed_out_) {
        outcome = {.status = kStatusTimedOut, .signal = SIGTERM, .timed_out = true};
    } else if (aborted_by_ != 0) {
        outcome = {.status = kSignalBase + aborted_by_, .signal = aborted_by_};
    } else if (ended_ && WIFSIGNALED(*ended_)) {
        outcome = {.status = kSignalBase + WTERMSIG(*ended_), .signal = WTERMSIG(*ended_)};
    } else if (ended_) {
        outcome = {.status = WEXITSTATUS(*ended_)};
    } else {
        const int signal = WIFSIGNALED(init_status) ? WTERMSIG(init_status) : SIGKILL;
        outcome = {.status = kSignalBase + signal, .signal = signal, .init_killed = true};
    }
    return outcome;
}

} // namespace sandbox
