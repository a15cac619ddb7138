// From places to steps: the order of mounts, the mount points, and the pins that keep covered paths where they are.
#pragma once

#include <string>
#include <vector>

#include "core/plan/plan.hpp"
#include "core/plan/virtual_tree.hpp"

namespace sandbox {

/// The steps that build the tree, a directory before what it holds. Each mount point in the skeleton, in a private
/// directory or in a cover is a step of its own (directory or file) right before its mount; in a granted tree nothing
/// is ever made. `runtime_dir`, where it is made, is for its user alone, as programs ask of it. \throws Error for a
/// place inside a granted tree that the host does not have.
///
/// Where the root is a tree of its own (VirtualTree::is_on_tree), what stands in it directly is marked `in_tree`: the
/// run looks it up there and makes what is missing.
[[nodiscard]] std::vector<RootEntry> root_entries(const VirtualTree& tree, HostFacts& facts,
                                                  const std::string& runtime_dir);

} // namespace sandbox
