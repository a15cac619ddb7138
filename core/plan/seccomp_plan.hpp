// What the [seccomp] table decides, call by call: words become numbers, groups their members, conditions masked tests.
#pragma once

#include "core/plan/plan.hpp"
#include "core/plan/profile.hpp"

namespace sandbox {

/// Resolves the profile's [seccomp] table; core/seccomp.hpp says what the entries mean. An entry that an earlier one
/// makes unreachable (a call that `deny` names stands in `allow` too) is left out, so what remains is what will happen.
/// \throws Error that begins with the place: an unknown system call, group, symbol, action or architecture; conditions
/// that can never hold; a filter under which CMD could never start; a filter on the flags of clone, or on an argument
/// of socket(2) for 32-bit x86, that clone3 or socketcall would go around.
[[nodiscard]] SeccompPlan plan_seccomp(const Profile& profile);

} // namespace sandbox
