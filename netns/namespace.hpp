// The network namespace from inside: what the child prepares before a helper joins it, and what pid 1 waits for.
#pragma once

#include "core/base/step.hpp"
#include "core/plan/plan.hpp"

namespace sandbox::netns {

/// Sets what the interface will find (a short start of IPv6, all ports for CMD, the address of the list's resolver) and
/// hands the namespace to the supervisor. Before: the process has a new network namespace whose loopback is up, and the
/// host's /proc. Plain code, for between clone and exec; leaves through `failure`.
void offer_namespace(const NetworkPlan& plan, int control, const StepReporter& failure);

/// Waits until the supervisor says that the interface is up and, where the plan has IPv6, until its address has come
/// too; a second is the most that costs. Plain code.
/// \return 0, or -1 and errno when the supervisor is gone.
[[nodiscard]] int wait_for_interface(const NetworkPlan& plan, int control);

} // namespace sandbox::netns
