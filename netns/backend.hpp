// The programs that give a network namespace its interface, and how they are called: slirp4netns(1), pasta(1).
#pragma once

#include <string>
#include <vector>

#include "core/plan/plan.hpp"

namespace sandbox::netns {

/// The descriptors that a backend finds open.
constexpr int kNetNamespace = 3;
constexpr int kReady = 4; ///< something is written there when the interface is up
constexpr int kExit = 5;  ///< the supervisor's end is its end: slirp4netns watches it

/// The whole argument vector, for a process that is in the sandbox's user namespace and has every capability there. All
/// words are ours or numbers. \param mtu the size of the largest packet.
[[nodiscard]] std::vector<std::string> backend_arguments(const NetworkPlan& plan, int mtu);

} // namespace sandbox::netns
