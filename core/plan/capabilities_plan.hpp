// Which capabilities CMD keeps: capabilities(7), names as libcap-ng has them.
#pragma once

#include <string>
#include <vector>

#include "core/plan/layers.hpp"
#include "core/plan/plan.hpp"

namespace sandbox {

/// A later layer wins over an earlier one; in one layer a name wins over "all".
/// \throws Error for an unknown name, and for one that a layer both keeps and drops.
[[nodiscard]] CapabilitiesPlan plan_capabilities(const Profile::Capabilities& capabilities, const Layers& layers,
                                                 std::vector<std::string>& notices);

} // namespace sandbox
