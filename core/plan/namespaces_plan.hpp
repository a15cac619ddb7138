// Which namespaces are new, and the hostname: namespaces(7).
#pragma once

#include "core/plan/layers.hpp"
#include "core/plan/plan.hpp"

namespace sandbox {

/// \throws Error for a namespace that cannot be shared, words that contradict each other, a name that is no hostname.
[[nodiscard]] NamespacesPlan plan_namespaces(const Profile& profile, const Command& command, const Layers& layers);

} // namespace sandbox
