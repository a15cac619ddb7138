// The signals of the supervisor: blocked while a run lasts and read from a descriptor: signalfd(2).
#pragma once

#include <signal.h>

#include "core/base/fd.hpp"

namespace sandbox {

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
    /// Stops this process as Ctrl-Z does, until SIGCONT. Where no shell could ever continue it (its process group is
    /// orphaned) the kernel does not stop it: setpgid(2), and this comes back at once.
    void stop_self() const;

    [[nodiscard]] const sigset_t& callers_mask() const { return callers_mask_; }

private:
    sigset_t callers_mask_{};
    Fd descriptor_;
};

} // namespace sandbox
