// What the supervisor and pid 1 say to each other over one SOCK_SEQPACKET pair: one message, one packet.
#pragma once

#include <array>
#include <cstdint>

#include "core/base/identity.hpp"
#include "core/base/step.hpp"

namespace sandbox {

/// The namespaces of a sandbox by their names in /proc/PID/ns, and their inode numbers in the same order; 0 is unknown.
inline constexpr std::array kNamespaceNames = {"user", "pid", "net", "mnt", "uts", "ipc", "cgroup"};
using NamespaceInodes = std::array<std::uint64_t, kNamespaceNames.size()>;

/// From the child (later pid 1) to the supervisor.
struct ChildMessage {
    enum class Kind : std::uint8_t {
        failed,  ///< a step failed; `failure` says which; the child has gone
        entered, ///< the sender has entered a sandbox that runs; SCM_CREDENTIALS hold its pid; it waits for `proceed`
        network, ///< carries the network namespace as SCM_RIGHTS
        namespaces, ///< carries all namespaces as SCM_RIGHTS, in the order of kNamespaceNames, and behind them, where
                    ///< there are hidden names, the directory of their links; `identity` is CMD's
        layer,      ///< carries the descriptor of a FUSE file system as SCM_RIGHTS
        terminal,   ///< carries the pty's master as SCM_RIGHTS
        listener,   ///< carries the listener of CMD's filter as SCM_RIGHTS; without one, `status` is the errno for it
        command,    ///< sent by CMD's own process: SCM_CREDENTIALS hold its pid as the supervisor sees it
        started,    ///< execve succeeded
        stopped,    ///< CMD was stopped by a signal
        exited,     ///< CMD has ended; `status` is wait(2)'s
    };
    Kind kind = Kind::failed;
    int status = 0;
    Identity identity; ///< namespaces
    StepFailure failure;
};

/// From the supervisor to the child.
struct SupervisorMessage {
    enum class Kind : std::uint8_t {
        proceed, ///< the maps are written
        ready,   ///< all that is outside is there, the record and the interface: CMD may start
        signal,  ///< send `signal` to CMD, or to its process group
    };
    Kind kind = Kind::proceed;
    int signal = 0;
    bool whole_group = false;
};

} // namespace sandbox
