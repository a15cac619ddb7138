// Who CMD is: the uid and gid maps of its user namespace, its ids, its groups. user_namespaces(7), newuidmap(1)
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "core/plan/plan.hpp"
#include "core/plan/root_choice.hpp"

namespace sandbox {

/// A map in which `own` (the caller's id) appears as `inside` and the subordinate ranges fill the other numbers from 0
/// up. Ranges that overlap each other or `own` are cut; the kernel takes 340 lines, what is beyond them is left out.
[[nodiscard]] std::vector<MapEntry> map_around(std::uint32_t own, std::uint32_t inside,
                                               std::span<const IdRange> ranges);

/// On a tree of its own (`root`) the caller is uid 0 whoever CMD is, since the tree's files belong to those ids.
/// \throws Error for a map that this machine cannot make, an id that it does not hold, groups that cannot be dropped.
[[nodiscard]] IdsPlan plan_ids(const Profile::Ids& ids, const Host& host, const RootChoice& root);

} // namespace sandbox
