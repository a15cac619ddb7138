#include "core/signals.hpp"

#include <unistd.h>

#include <cerrno>

#include "core/base/error.hpp"

namespace sandbox {

namespace {

bool is_waiting(int signal) {
    sigset_t waiting;
    ::sigemptyset(&waiting);
    ::sigpending(&waiting);
    return ::sigismember(&waiting, signal) == 1;
}

} // namespace

bool asks_to_end(int signal) {
    return signal == SIGHUP || signal == SIGINT || signal == SIGQUIT || signal == SIGTERM;
}

bool is_our_own(int signal) {
    return signal == SIGCHLD || signal == SIGPIPE || signal == SIGTTIN || signal == SIGTTOU;
}

bool is_for_group(const signalfd_siginfo& signal) {
    const int number = static_cast<int>(signal.ssi_signo);
    const bool is_from_keyboard = signal.ssi_code == SI_KERNEL;
    return is_from_keyboard || number == SIGTSTP || number == SIGCONT || number == SIGWINCH;
}

Signals::Signals() {
    sigset_t all;
    ::sigfillset(&all);
    for (const int crash : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGABRT, SIGSYS}) {
        ::sigdelset(&all, crash);
    }
    ::sigprocmask(SIG_SETMASK, &all, &callers_mask_);
    struct sigaction normal {};
    normal.sa_handler = SIG_DFL;
    ::sigaction(SIGCHLD, &normal, nullptr);
    descriptor_.reset(::signalfd(-1, &all, SFD_CLOEXEC | SFD_NONBLOCK));
    if (!descriptor_) {
        throw Error("cannot listen for signals").kernel(errno);
    }
}

std::optional<signalfd_siginfo> Signals::next() const {
    signalfd_siginfo signal{};
    const bool has_come = ::read(descriptor_.get(), &signal, sizeof signal) == static_cast<ssize_t>(sizeof signal);
    return has_come ? std::optional(signal) : std::nullopt;
}

bool Signals::stop_self() const {
    if (is_waiting(SIGCONT)) {
        return true; // somebody has continued us already, and SIGTSTP would take his word away: signal(7)
    }
    struct sigaction normal {};
    normal.sa_handler = SIG_DFL;
    struct sigaction callers {};
    sigset_t stop;
    ::sigemptyset(&stop);
    ::sigaddset(&stop, SIGTSTP);
    ::sigaction(SIGTSTP, &normal, &callers);
    static_cast<void>(::raise(SIGTSTP));
    ::sigprocmask(SIG_UNBLOCK, &stop, nullptr);
    // Here it stops, and here it goes on.
    ::sigprocmask(SIG_BLOCK, &stop, nullptr);
    ::sigaction(SIGTSTP, &callers, nullptr);
    return is_waiting(SIGCONT);
}

Signals::~Signals() {
    ::sigprocmask(SIG_SETMASK, &callers_mask_, nullptr);
}

} // namespace sandbox
