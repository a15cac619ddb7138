// Published ports: a process that accepts on the host and connects in the sandbox, for TCP and UDP.
#pragma once

#include <vector>

#include "core/base/child_process.hpp"
#include "netns/listeners.hpp"

namespace sandbox::netns {

/// Whom a forwarder connects to.
enum class Target {
    loopback,  ///< of its network namespace: 127.0.0.1, or ::1 where nobody listens there
    interface, ///< of the sandbox, from outside of it: kSandboxAddress
};

/// Starts the process in these user and network namespaces, the sandbox's own. It has no capability left there and no
/// descriptor but the listeners; it passes bytes on until it is killed, which the end of the supervisor does too. What
/// it connects to is the sandbox's own loopback, so a server that listens on 127.0.0.1 or on everything is reached.
/// Where the network is limited there are two, one behind the other: what goes from one to the other goes through the
/// limit. \throws Error where the process cannot be made.
[[nodiscard]] ChildProcess start_forwarder(const std::vector<Listener>& listeners, int user_namespace,
                                           int net_namespace, Target target);

} // namespace sandbox::netns
