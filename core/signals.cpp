#include "core/signals.hpp"

#include <sys/signalfd.h>

#include <cerrno>

#include "core/base/error.hpp"

namespace sandbox {

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

void Signals::stop_self() const {
    sigset_t waiting;
    ::sigemptyset(&waiting);
    ::sigpending(&waiting);
    if (::sigismember(&waiting, SIGCONT) == 1) {
        return; // somebody has continued us already, and SIGTSTP would take his word away: signal(7)
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
}

Signals::~Signals() {
    ::sigprocmask(SIG_SETMASK, &callers_mask_, nullptr);
}

} // namespace sandbox
