// The socket between the supervisor and the child: one message, one packet; descriptors and pids travel beside it.
#pragma once

#include <sys/types.h>

#include <array>
#include <optional>
#include <span>

#include "core/base/fd.hpp"
#include "core/base/message.hpp"

namespace sandbox::control {

/// Both ends of a SOCK_SEQPACKET pair, close-on-exec: unix(7).
struct Pair {
    Fd supervisor;
    Fd child;
};

/// \throws Error where the kernel has no socket left.
[[nodiscard]] Pair make_pair();

/// A message from the child, with what came beside it.
struct Received {
    ChildMessage message;
    /// terminal: the pty's master; network: the network namespace; namespaces: the root's stage
    Fd descriptor;
    std::array<Fd, kNamespaceNames.size()> namespaces; ///< namespaces: all of them
    pid_t sender = 0; ///< the sender's pid as this process sees it; the kernel's word, not the sender's
};

/// The next message, without waiting for it.
/// \return nothing when there is no message yet (errno EAGAIN) or the child's side is closed (ECONNRESET).
[[nodiscard]] std::optional<Received> receive(int socket);

/// \return false, with errno, when the child cannot be told; one that is gone is noticed by `receive` too.
bool send(int socket, const SupervisorMessage& message);

/// The child's side: a message with `descriptor` beside it, as SCM_RIGHTS. \return below 0, with errno, for a failure.
[[nodiscard]] int send_descriptor(int socket, ChildMessage::Kind kind, int descriptor);
/// The same with at most kMostPassed of them.
[[nodiscard]] int send_descriptors(int socket, const ChildMessage& message, std::span<const int> descriptors);
inline constexpr std::size_t kMostPassed = kNamespaceNames.size() + 1;

/// The child's side: waits for `proceed`.
/// \return false when the supervisor is gone.
[[nodiscard]] bool wait_for_proceed(int socket);

/// The child's side: waits for `ready`, before which the supervisor sends nothing else.
/// \return 0, or -1 and errno when the supervisor is gone.
[[nodiscard]] int wait_for_ready(int socket);

} // namespace sandbox::control
