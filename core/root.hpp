// The new root: assembled from the plan's entries, then entered by pivot_root(2), the old one unmounted.
#pragma once

#include "core/base/fd.hpp"
#include "core/base/step.hpp"
#include "core/plan/plan.hpp"

namespace sandbox::root {

/// Builds the root file system that `plan` lists, entry by entry. Before: the process has its own user and mount
/// namespaces, its maps are written, and all mounts are private. After: the returned descriptor is the new root, an
/// attached mount, sealed read-only where it is ours; nothing of it is visible from "/" yet. `ids` own the private
/// directories. Plain code, for between clone and exec; leaves through `failure`.
[[nodiscard]] Fd assemble(const RootPlan& plan, const IdsPlan& ids, const StepReporter& failure);

/// pivot_root(2) into `new_root`, then unmounts all that was there before. After: no path, descriptor or mount of this
/// process but `new_root`'s own leads to the old root.
void enter(Fd new_root, const StepReporter& failure);

} // namespace sandbox::root
