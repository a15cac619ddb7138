// The host's side of the published ports: sockets that are bound before anything else of a sandbox exists.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/base/fd.hpp"
#include "core/plan/plan.hpp"

namespace sandbox::netns {

/// A bound socket of the host. TCP ones listen.
struct Listener {
    Fd socket;
    PublishedPort port; ///< with the port that the kernel chose, where it was asked to
};

/// Opens all of them. \throws Error naming the option's place where a port is taken or an address is not this
/// machine's.
[[nodiscard]] std::vector<Listener> open_listeners(const std::vector<PublishedPort>& ports);

/// The same ports a second time, for two forwarders: one takes what comes to the host's side of them and connects to
/// the sandbox's interface, the other waits there, on ports that the kernel chose, and connects to the sandbox's own.
struct Relayed {
    std::vector<Listener> outside; ///< copies of the host's
    std::vector<Listener> inside;
};

/// \throws Error where no more sockets can be had.
[[nodiscard]] Relayed open_relayed(const std::vector<Listener>& listeners, int user_namespace, int net_namespace);

} // namespace sandbox::netns
