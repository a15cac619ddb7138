#include "cmd/sandbox/supervisor.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "cmd/common/print.hpp"
#include "core/base/exit_status.hpp"
#include "core/base/step_error.hpp"
#include "core/base/sys.hpp"
#include "core/hidden_names.hpp"
#include "core/plan/publish_plan.hpp"
#include "core/standard_streams.hpp"

namespace sandbox {

namespace {

constexpr std::chrono::milliseconds kGracePeriod{10'000};
constexpr int kForegroundCheck = 200; // milliseconds

} // namespace

Supervisor::Supervisor(const Plan& plan, const Signals& signals, ChildProcess& init, const SandboxCgroup& cgroup,
                       int control, const StatusPipe& status, netns::Network& network, const PrivateLayers& layers,
                       FuseOverlays& fuse, Recorder& recorder, RefusedCalls& refused)
    : plan_(plan), signals_(signals), init_(init), cgroup_(cgroup), control_(control), status_(status),
      network_(network), layers_(layers), fuse_(fuse), recorder_(recorder), refused_(refused) {
    if (plan.timeout) {
        timer_.reset(::timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK));
        if (!timer_) {
            throw Error("cannot make a timer for the time limit").kernel(errno);
        }
    }
}

Outcome Supervisor::watch() {
    enum : std::size_t {
        kSignals,
        kMessages,
        kInit,
        kTimer,
        kTerminal,
        kNetwork = kTerminal + terminal::Relay::kWatched,
        kLayers = kNetwork + netns::Network::kWatched,
        kRefused = kLayers + FuseOverlays::kWatched,
        kCount = kRefused + RefusedCalls::kWatched
    };
    for (bool init_runs = true; init_runs;) {
        std::array<pollfd, kCount> watched;
        watched.fill({.fd = -1, .events = POLLIN, .revents = 0}); // poll(2) passes over a negative descriptor
        watched[kSignals].fd = signals_.descriptor();
        watched[kMessages].fd = control_open_ ? control_ : -1;
        watched[kInit].fd = init_.pidfd();
        watched[kTimer].fd = timer_.get();
        // A key that stops CMD between its vfork(2) and its execve(2) would stop who waits there for the latter.
        if (relay_ && started_) {
            relay_->watch(&watched[kTerminal]);
        }
        network_.watch(&watched[kNetwork]);
        fuse_.watch(&watched[kLayers]);
        refused_.watch(&watched[kRefused]);
        const bool in_background = relay_ && relay_->in_background();
        if (::poll(watched.data(), watched.size(), in_background ? kForegroundCheck : -1) < 0 && errno != EINTR) {
            const int error_number = errno;
            Error error = Error("cannot watch the sandbox").kernel(error_number);
            if (error_number == EINVAL) { // poll(2): more entries than RLIMIT_NOFILE
                error.cause("your limit of open files is too low").fix("raise it: ulimit -n 1024");
            }
            throw error;
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
        serve_network(&watched[kNetwork]);
        serve_layers(&watched[kLayers]);
        refused_.serve(&watched[kRefused]);
        if (watched[kSignals].revents != 0) {
            serve_signals();
        }
        if (watched[kTimer].revents != 0) {
            on_timer();
        }
        init_runs = watched[kInit].revents == 0;
    }
    if (relay_) {
        relay_->finish(signals_);
    }
    return conclude();
}

void Supervisor::serve_signals() {
    while (const std::optional<signalfd_siginfo> signal = signals_.next()) {
        on_signal(*signal);
    }
}

bool Supervisor::serve_message() {
    std::optional<control::Received> received = control::receive(control_);
    if (received) {
        on_message(std::move(*received));
        return true;
    }
    if (errno != EAGAIN && errno != ECONNRESET) {
        throw Error("cannot hear the sandbox's pid 1").kernel(errno);
    }
    control_open_ = errno == EAGAIN;
    return false;
}

void Supervisor::on_message(control::Received received) {
    switch (received.message.kind) {
    case ChildMessage::Kind::failed: {
        const StepFailure& failure = received.message.failure;
        throw StepError(failure.step, failure.object, failure.error_number);
    }
    case ChildMessage::Kind::entered:
        break; // pid 1 was there before
    case ChildMessage::Kind::network:
        network_.attach(std::move(received.descriptor));
        break;
    case ChildMessage::Kind::namespaces:
        on_namespaces(std::move(received));
        break;
    case ChildMessage::Kind::layer:
        fuse_.attach(received.descriptor, layers_.user_namespace(), maps_root());
        break;
    case ChildMessage::Kind::terminal:
        relay_.emplace(std::move(received.descriptor),
                       plan_.process.terminal ? terminal::Relay::Direction::both : terminal::Relay::Direction::output);
        break;
    case ChildMessage::Kind::listener:
        listener_error_ = received.message.status;
        if (received.descriptor) {
            refused_.attach(std::move(received.descriptor));
        } else if (listener_error_ == 0) {
            listener_error_ = EMFILE; // the kernel dropped it: this process may open no more files
        }
        break;
    case ChildMessage::Kind::command:
        command_ = received.sender;
        break;
    case ChildMessage::Kind::started:
        on_started();
        break;
    case ChildMessage::Kind::stopped:
        stop_with_command(received.message.status);
        break;
    case ChildMessage::Kind::exited:
        ended_ = received.message.status;
        count_traffic(); // the interface goes with its helper
        network_.stop();
        break;
    }
}

void Supervisor::on_namespaces(control::Received received) {
    const auto is_open = [](const Fd& one) { return static_cast<bool>(one); };
    if (!received.descriptor || !std::ranges::all_of(received.namespaces, is_open)) {
        throw Error("cannot keep the namespaces of the sandbox open")
            .cause("this process may open no more files")
            .fix("raise its limit: ulimit -n");
    }
    stage_ = std::move(received.descriptor);
    recorder_.record(std::move(received.namespaces), {.init = init_.pid(),
                                                      .identity = received.message.identity,
                                                      .cgroup = cgroup_,
                                                      .listeners = network_.listeners()});
    let_start();
}

void Supervisor::on_started() {
    started_ = true;
    for (const int signal : std::exchange(waiting_, {})) {
        forward(signal, false);
    }
    recorder_.started();
    tell_chosen_ports();
    status_.started(command_, init_.pid(), recorder_.inodes(), network_.listeners(), recorder_.name());
    // Errors keep their stream, and a relay in both directions needs the other two.
    if (!plan_.process.terminal) {
        let_go_of_standard_streams(STDOUT_FILENO);
    }
    if (plan_.timeout) {
        arm_timer(*plan_.timeout);
    }
}

void Supervisor::on_signal(const signalfd_siginfo& signal) {
    const int number = static_cast<int>(signal.ssi_signo);
    switch (number) {
    case SIGXFSZ:
        if (signal.ssi_pid == static_cast<std::uint32_t>(::getpid())) {
            return; // a file of ours, such as the record, met a limit of the caller's: setrlimit(2)
        }
        break;
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

void Supervisor::forward(int signal, bool whole_group) {
    const SupervisorMessage message{
        .kind = SupervisorMessage::Kind::signal, .signal = signal, .whole_group = whole_group};
    if (!may_start_) {
        held_back_.push_back(message);
        return;
    }
    control::send(control_, message);
}

void Supervisor::tell_chosen_ports() const {
    for (const netns::Listener& listener : network_.listeners()) {
        if (plan_.network.publish.at(static_cast<std::size_t>(&listener - network_.listeners().data())).host_port ==
            0) {
            complain(published_words(listener.port)); // asked for, so no note that --quiet keeps back
        }
    }
}

void Supervisor::serve_network(const pollfd* watched) {
    const bool became_ready = network_.serve(watched);
    // The namespace's end ends the helper too; what matters is an end that CMD has to live with.
    if (!ended_ && network_end_.empty()) {
        network_end_ = network_.end();
    }
    if (became_ready) {
        let_start();
    }
}

/// Called when the record is written and when the network is there, in whatever order.
void Supervisor::let_start() {
    if (may_start_ || !recorder_.has_namespaces() || !network_.is_ready()) {
        return;
    }
    may_start_ = true;
    const bool told = control::send(control_, SupervisorMessage{.kind = SupervisorMessage::Kind::ready});
    // One that is gone has said why; one that is there would wait for ever.
    if (!told && errno != EPIPE && errno != ECONNRESET) {
        throw Error("cannot tell the sandbox's pid 1 to go on").kernel(errno);
    }
    for (const SupervisorMessage& message : std::exchange(held_back_, {})) {
        control::send(control_, message);
    }
}

void Supervisor::serve_layers(const pollfd* watched) {
    fuse_.serve(watched);
    // CMD often ends for want of its files before we hear of theirs.
    const bool is_the_sandboxs_end = ended_ && !fuse_.was_killed();
    if (is_the_sandboxs_end || !layer_end_.empty() || fuse_.end().empty()) {
        return;
    }
    layer_end_ = fuse_.end();
    if (!started_) {
        throw Error("cannot serve a private layer: fuse-overlayfs ended")
            .cause(layer_end_)
            .fix("sandboxctl doctor looks at the whole machine");
    }
}

/// One that was killed may be the reason of CMD's end, and come after it.
void Supervisor::look_at_layers() {
    std::array<pollfd, FuseOverlays::kWatched> watched;
    watched.fill({.fd = -1, .events = POLLIN, .revents = 0});
    fuse_.watch(watched.data());
    if (::poll(watched.data(), watched.size(), 0) > 0) {
        fuse_.serve(watched.data());
    }
    if (started_ && layer_end_.empty() && fuse_.was_killed()) {
        layer_end_ = fuse_.end();
    }
}

void Supervisor::count_traffic() {
    if (plan_.cgroup.stats && plan_.network.has_interface() && !traffic_) {
        traffic_ = recorder_.traffic();
    }
}

bool Supervisor::maps_root() const {
    const auto& map = plan_.ids.uid_map;
    return std::ranges::any_of(map, [](const MapEntry& entry) { return entry.inside == 0; });
}

void Supervisor::end_before_start(int signal) {
    // What pid 1 has said and we have not read yet decides: CMD's process may be there, and may be CMD already.
    while (serve_message()) {
    }
    if (started_) {
        return forward(signal, false);
    }
    if (command_ != 0) {
        waiting_.push_back(signal);
        return;
    }
    aborted_by_ = signal;
    init_.kill(SIGKILL);
}

void Supervisor::stop_with_command(int signal) {
    // The shell that started us sees one job: it stops when CMD does, and SIGCONT, which we pass on, lets both go on.
    if (relay_) {
        relay_->suspend();
    }
    const ChildProcess alarm = timer_ ? continue_at_deadline() : ChildProcess();
    const bool was_continued = signals_.stop_self();
    if (relay_) {
        relay_->resume();
    }
    // No shell is there to continue us both: then Ctrl-Z does not stop CMD either, as without a sandbox. SIGSTOP would.
    if (!was_continued && signal == SIGTSTP) {
        forward(SIGCONT, true);
    }
}

/// Nothing runs in a stopped process, so a child wakes us when the time is over: CMD cannot stop its own time limit.
ChildProcess Supervisor::continue_at_deadline() const {
    itimerspec left{};
    ::timerfd_gettime(timer_.get(), &left);
    const pid_t supervisor = ::getpid();
    int pidfd = -1;
    const pid_t pid = sys::clone(0, &pidfd);
    if (pid < 0) {
        throw Error("cannot watch the time limit of a stopped sandbox").kernel(errno);
    }
    if (pid == 0) {
        ::prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
        ::ppoll(nullptr, 0, &left.it_value, nullptr);
        // Again and again, for the first can come before the supervisor has stopped.
        while (::getppid() == supervisor) {
            ::kill(supervisor, SIGCONT);
            ::poll(nullptr, 0, 50);
        }
        ::_exit(0);
    }
    return {pid, Fd(pidfd)};
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
    if (::read(timer_.get(), &expirations, sizeof expirations) < 0 || ended_) {
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
        serve_message();
    }
    look_at_layers();
    relay_.reset();
    count_traffic(); // where CMD was killed with the sandbox
    RunUsage usage;
    usage.network = traffic_;
    const int init_status = init_.wait(&usage.processes);
    usage.wall = std::chrono::steady_clock::now() - start_;
    usage.cgroup = cgroup_.usage();
    usage.obstacle = cgroup_.obstacle();
    Outcome outcome = outcome_of(init_status, usage);
    outcome.usage = std::move(usage);
    outcome.network_end = std::move(network_end_);
    outcome.layer_end = std::move(layer_end_);
    outcome.network_refusals = network_.refusals();
    outcome.refused_calls = refused_.finish();
    outcome.uncounted_calls = refused_.uncounted();
    outcome.observed = refused_.paths().take();
    outcome.unobserved = refused_.paths().left_out();
    outcome.listener_error = listener_error_;
    outcome.looked_at = hidden_names::looked_at(stage_.get(), plan_.root.hidden_names);
    outcome.stage = std::move(stage_);
    return outcome;
}

Outcome Supervisor::outcome_of(int init_status, const RunUsage& usage) const {
    // What was killed below, for a limit that CMD set there, counts for neither.
    const bool kernel_killed =
        usage.cgroup && (usage.cgroup->limit_reached.value_or(0) > 0 || usage.cgroup->own_oom_kills.value_or(0) > 0);
    if (timed_out_) {
        // Without CMD's own end it was killed with the sandbox, when the grace period was over.
        const int signal = !ended_ ? SIGKILL : WIFSIGNALED(*ended_) ? WTERMSIG(*ended_) : 0;
        return {.status = kTimedOut, .signal = signal, .timed_out = true};
    }
    if (aborted_by_ != 0) {
        return {.status = kSignalBase + aborted_by_, .signal = aborted_by_};
    }
    if (ended_ && WIFSIGNALED(*ended_)) {
        const int signal = WTERMSIG(*ended_);
        return {.status = kSignalBase + signal, .signal = signal, .out_of_memory = kernel_killed && signal == SIGKILL};
    }
    if (ended_) {
        return {.status = WEXITSTATUS(*ended_)};
    }
    if (kernel_killed) {
        return {.status = kSignalBase + SIGKILL, .signal = SIGKILL, .out_of_memory = true};
    }
    if (WIFEXITED(init_status) && !started_) {
        throw Error("the sandbox's pid 1 ended without a word");
    }
    if (WIFEXITED(init_status)) {
        return {.status = WEXITSTATUS(init_status)}; // its last message was lost; it ends as CMD did
    }
    const int signal = WIFSIGNALED(init_status) ? WTERMSIG(init_status) : SIGKILL;
    return {.status = kSignalBase + signal, .signal = signal, .init_killed = true};
}

} // namespace sandbox
