// The signals of the supervisor: blocked while a run lasts and read from a descriptor: signalfd(2).
#pragma once

#include <signal.h>
#include <sys/signalfd.h>

#include <optional>

#include "core/base/fd.hpp"

namespace sandbox {

/// SIGHUP, SIGINT, SIGQUIT, SIGTERM: who sends one wants the process to end.
[[nodiscard]] bool asks_to_end(int signal);

/// Those that say something about a process of ours to us, not to CMD.
[[nodiscard]] bool is_our_own(int signal);

/// Whether a signal is for all of CMD's process group: what a terminal sends (Ctrl-C, Ctrl-Z, a new size), which tells
/// the group in its foreground and so not CMD's.
[[nodiscard]] bool is_for_group(const signalfd_siginfo& signal);

/// The signals that a run passes on or acts on: blocked while it lasts and read from a descriptor. The caller's mask is
/// kept, for CMD.
class Signals {
public:
    /// Blocks all but what a crash raises, and takes SIGCHLD back to its default: a caller that ignores it would keep
    /// us from learning how CMD ended.
    Signals();
    Signals(const Signals&) = delete;
    Signals& operator=(const Signals&) = delete;
    ~Signals();

    [[nodiscard]] int descriptor() const { return descriptor_.get(); }
    /// The next that has come; nothing where none has.
    [[nodiscard]] std::optional<signalfd_siginfo> next() const;
    /// Stops this process as Ctrl-Z does, until SIGCONT. Where no shell could ever continue it (its process group is
    /// orphaned) the kernel does not stop it: setpgid(2). \return whether a SIGCONT has come, which `next` then gives.
    [[nodiscard]] bool stop_self() const;

    [[nodiscard]] const sigset_t& callers_mask() const { return callers_mask_; }

private:
    sigset_t callers_mask_{};
    Fd descriptor_;
};

} // namespace sandbox
