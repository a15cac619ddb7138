#include "core/execute.hpp"

#include <sched.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <ctime>
#include <span>

#include "core/base/exit_status.hpp"
#include "core/base/message.hpp"
#include "core/control.hpp"

namespace sandbox {

namespace {

constexpr std::size_t kStackSize = std::size_t{64} * 1024;

} // namespace

Execution::Execution(const ProcessPlan& process, const std::vector<EnvironmentEntry>& environment,
                     const std::vector<ResourceLimit>& limits, const seccomp::Filter& filter, const sigset_t& signals)
    : limits_(limits), filter_(filter), signals_(signals), stack_(std::make_unique_for_overwrite<char[]>(kStackSize)) {
    for (const std::string& argument : process.arguments) {
        arguments_.push_back(const_cast<char*>(argument.c_str()));
    }
    arguments_.push_back(nullptr);
    for (const EnvironmentEntry& entry : environment) {
        environment_words_.push_back(entry.name + "=" + entry.value);
    }
    for (std::string& word : environment_words_) {
        environment_.push_back(word.data());
    }
    environment_.push_back(nullptr);
    for (const std::string& candidate : process.candidates) {
        candidates_.push_back(candidate.c_str());
    }
}

void Execution::set_home(const char* home) {
    constexpr std::size_t kName = sizeof "HOME=" - 1;
    std::strncpy(home_ + kName, home, sizeof home_ - kName - 1);
    for (char*& entry : environment_) {
        if (entry != nullptr && std::strncmp(entry, home_, kName) == 0) {
            entry = home_;
        }
    }
}

pid_t Execution::start(int terminal, mode_t umask, int control) {
    terminal_ = terminal;
    umask_ = umask;
    control_ = control;
    starter_ = ::getpid();
    if (filter_.asks_about_allowed) {
        return start_watched();
    }
    // With CLONE_FILES the listener of the filter appears among the starter's descriptors too: so no call is needed to
    // hand it over, that a profile could refuse. execve(2) gives CMD a table of its own, and closes it there.
    const int shared = filter_.reporting.empty() ? 0 : CLONE_FILES;
    const pid_t pid =
        ::clone(&Execution::entry, stack_.get() + kStackSize, CLONE_VM | CLONE_VFORK | shared | SIGCHLD, this);
    if (pid > 0) {
        hand_over_listener(); // CMD runs already: a call of its that is refused waits for it
    }
    return pid;
}

/// execve(2) itself waits for an answer here, so with CLONE_VFORK nobody could hand the listener over.
pid_t Execution::start_watched() {
    shares_memory_ = -1;
    const pid_t pid =
        ::clone(&Execution::entry, stack_.get() + kStackSize, CLONE_VM | CLONE_FILES | CLONE_CHILD_CLEARTID | SIGCHLD,
                this, nullptr, nullptr, reinterpret_cast<pid_t*>(&shares_memory_));
    bool is_handed_over = false;
    while (pid > 0 && shares_memory_ != 0) {
        if (!is_handed_over && filter_is_loaded_) {
            hand_over_listener();
            is_handed_over = true;
        }
        // Not futex(2): the news of the filter comes from a process that may call nothing but execve any more.
        constexpr timespec kShort = {.tv_sec = 0, .tv_nsec = 50'000};
        ::nanosleep(&kShort, nullptr);
    }
    if (pid > 0 && filter_is_loaded_ && !is_handed_over) {
        hand_over_listener(); // there is none, and execve(2) was faster than the sleep
    }
    return pid;
}

void Execution::hand_over_listener() const {
    ChildMessage message{};
    message.kind = ChildMessage::Kind::listener;
    message.status = listener_.error_number;
    if (listener_.descriptor < 0) {
        if (listener_.error_number != 0) {
            [[maybe_unused]] const ssize_t sent = ::write(control_, &message, sizeof message);
        }
        return;
    }
    // A supervisor that is gone is noticed soon; then a refused call fails as one without a listener does (ENOSYS).
    static_cast<void>(control::send_descriptors(control_, message, std::span(&listener_.descriptor, 1)));
    ::close(listener_.descriptor);
}

int Execution::entry(void* self) {
    static_cast<Execution*>(self)->become_command();
    return kOwnFailure; // only reached when the start failed: clone(2) ends the process with it
}

void Execution::become_command() {
    // The starter may have been killed meanwhile: then nobody would send the signal.
    if (ends_with_starter_ && (::prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0 || ::getppid() != starter_)) {
        return fail(Step::start_command, "");
    }
    // A group of its own: kill(0) inside reaches CMD's processes and nobody else, and the terminal can stop all of
    // them.
    if (::setpgid(0, 0) < 0) {
        return fail(Step::start_command, "");
    }
    if (terminal_ >= 0) {
        const pid_t self = ::getpid();
        // Every signal is still blocked, so taking the foreground from pid 1 cannot stop us with SIGTTOU.
        if (::ioctl(terminal_, TIOCSPGRP, &self) < 0) {
            return fail(Step::take_terminal, "");
        }
    }
    ChildMessage here{};
    here.kind = ChildMessage::Kind::command;
    if (::write(control_, &here, sizeof here) < 0) {
        return fail(Step::start_command, "");
    }
    ::umask(umask_);
    // This process alone has them, and what it starts: pid 1, whose memory it shares, has limits of its own.
    if (const ResourceLimit* refused = set_limits()) {
        return fail(Step::set_limit, refused->name.c_str());
    }
    struct sigaction normal {};
    normal.sa_handler = SIG_DFL;
    // The supervisor needed it; whatever else the caller ignored stays ignored, as under nohup(1).
    ::sigaction(SIGCHLD, &normal, nullptr);
    ::sigprocmask(SIG_SETMASK, &signals_, nullptr);
    if (!load_filter()) {
        return fail(Step::load_filter, "");
    }
    filter_is_loaded_ = true;
    execute();
}

/// A listener that cannot be had costs the report, never the filter.
bool Execution::load_filter() {
    if (!filter_.reporting.empty()) {
        listener_.descriptor = seccomp::load_reporting(filter_.reporting);
        if (listener_.descriptor >= 0) {
            return true;
        }
        // An outer listener, a kernel that is too old, no descriptor left. What else fails would fail the plain form
        // too, and is an error.
        const bool is_listeners_fault = errno == EBUSY || errno == EINVAL || errno == EMFILE || errno == ENFILE;
        if (!is_listeners_fault) {
            return false;
        }
        listener_.error_number = errno;
    }
    return filter_.plain.empty() || seccomp::load(filter_.plain) == 0;
}

const ResourceLimit* Execution::set_limits() const {
    for (const ResourceLimit& limit : limits_) {
        const rlimit both{.rlim_cur = limit.soft, .rlim_max = limit.hard};
        if (::setrlimit(static_cast<__rlimit_resource>(limit.resource), &both) < 0) {
            return &limit;
        }
    }
    return nullptr;
}

void Execution::execute() {
    // From here on only execve is called: no profile, however strict, can break the start (pid 1 reads `failure_`).
    int error_number = ENOENT;
    const char* object = arguments_[0];
    for (const char* candidate : candidates_) {
        ::execve(candidate, arguments_.data(), environment_.data());
        if (errno != ENOENT && errno != ENOTDIR) {
            error_number = errno;
            object = candidate;
        }
        if (errno != ENOENT && errno != ENOTDIR && errno != EACCES) {
            break; // after EACCES a later directory of PATH may hold one that may be executed: execvp(3)
        }
    }
    errno = error_number;
    fail(Step::execute, object);
}

void Execution::fail(Step step, const char* object) {
    failure_ = Failure{.step = step, .error_number = errno, .object = object};
}

} // namespace sandbox
