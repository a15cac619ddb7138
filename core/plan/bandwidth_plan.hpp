// What goes through the sandbox's interface at most: [limits] net-in and net-out.
#pragma once

#include <string>
#include <vector>

#include "core/plan/layers.hpp"
#include "core/plan/plan.hpp"

namespace sandbox {

/// \throws Error naming the place for what is no rate, and where the sandbox has no interface of its own to hold it at.
[[nodiscard]] BandwidthPlan plan_bandwidth(const Profile::Limits& limits, const NetworkPlan& network,
                                           const Layers& layers, std::vector<std::string>& notices);

/// The size of the largest packet of an interface with these limits: kMtu, or smaller, so that a slow one is not taken
/// up by a single packet for long.
[[nodiscard]] int mtu_for(const BandwidthPlan& plan);

} // namespace sandbox
