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

/// What CMD keeps as the user with this uid inside: the one rule for a run and for who enters it later.
[[nodiscard]] inline const CapabilitiesPlan& kept_by(const Plan& plan, std::uint32_t uid) {
    return plan.ids.user_in_root.empty() || uid == 0 ? plan.capabilities : plan.user_capabilities;
}

} // namespace sandbox
