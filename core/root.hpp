// The new root: assembled from the plan's entries, then entered by pivot_root(2), the old one unmounted.
#pragma once

#include <array>
#include <span>
#include <string>

#include "core/base/fd.hpp"
#include "core/base/step.hpp"
#include "core/hidden_names.hpp"
#include "core/overlay.hpp"
#include "core/plan/plan.hpp"
#include "core/tree_user.hpp"

namespace sandbox::root {

/// What a root is built from.
struct Materials {
    const RootPlan& root;
    const OverlaysPlan& overlays;
    std::span<const overlay::Layer> layers; ///< beside OverlaysPlan::list
    bool through_fuse;                      ///< else through the kernel's overlay
    int control;                            ///< where descriptors go to the supervisor
    const std::string& user_in_root;        ///< IdsPlan's
    const std::string& made_workdir;        ///< a directory that is made in a tree of its own; empty: none
};

/// What has been built.
struct Assembled {
    Fd root;
    Fd stage;                          ///< the file system that it was built from, of which CMD sees only parts
    hidden_names::Places hidden_names; ///< where the links go, when there is time: only their directories are made
};

/// The name in the stage of what was made there for an entry of the plan, which is one of `plan.entries`. Plain code.
using StageName = std::array<char, 16>;
[[nodiscard]] StageName stage_name(const RootPlan& plan, const RootEntry& entry);

/// Builds the root file system that the plan lists, entry by entry. Before: the process has its own user and mount
/// namespaces, its maps are written, and all mounts are private. After: the returned root is an attached mount, sealed
/// read-only where it is ours; nothing of it is visible from "/" yet. `identity` owns the private directories; where
/// the plan has a user to look up, it is filled first. Plain code, for between clone and exec; leaves through
/// `failure`.
[[nodiscard]] Assembled assemble(const Materials& materials, Identity& identity, const StepReporter& failure);

/// pivot_root(2) into `new_root`, then unmounts all that was there before. After: no path, descriptor or mount of this
/// process but `new_root`'s own leads to the old root.
void enter(Fd new_root, const StepReporter& failure);

} // namespace sandbox::root
