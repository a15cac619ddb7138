// The network of a sandbox: whose it is, what gives it its interface, what of the host it reaches.
#pragma once

#include <string>
#include <vector>

#include "core/plan/layers.hpp"
#include "core/plan/plan.hpp"
#include "core/plan/root_choice.hpp"

namespace sandbox {

/// What the interface of a sandbox sees of the outside: slirp4netns(1) lays it out so, and pasta is told to.
constexpr const char* kSandboxAddress = "10.0.2.100";
constexpr const char* kGatewayAddress = "10.0.2.2";
constexpr const char* kResolverAddress = "10.0.2.3";
constexpr const char* kSandboxInterface = "tap0";
constexpr int kMtu = 65520;

/// \throws Error where the wanted network cannot be had on this machine, and for settings that need one and have none.
[[nodiscard]] NetworkPlan plan_network(const Profile::Network& network, const NamespacesPlan& namespaces,
                                       const IdsPlan& ids, const Host& host, const Layers& layers,
                                       const RootChoice& root, std::vector<std::string>& notices);

} // namespace sandbox
