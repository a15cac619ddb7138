// The `when` of a [[seccomp.rule]] as masked tests of 32-bit arguments.
#pragma once

#include <vector>

#include "core/plan/plan.hpp"
#include "core/plan/profile.hpp"

namespace sandbox {

/// The rule's conditions as alternatives: the rule holds when all tests of one of them hold. In an alternative every
/// argument is tested at most once, in the order of the arguments. One alternative without tests: the rule has no
/// conditions. \throws Error with the place.
[[nodiscard]] std::vector<std::vector<SeccompTest>> alternatives(const SeccompRule& rule);

} // namespace sandbox
