// Capabilities: all five sets cut to what the plan keeps, with libcap-ng: capabilities(7).
#pragma once

#include "core/plan/plan.hpp"

namespace sandbox::capabilities {

/// Makes what is permitted effective again: a change from uid 0 to another, under PR_SET_KEEPCAPS, took that away.
/// \return 0, or -1 and errno.
[[nodiscard]] int raise_effective();

/// Cuts the effective, permitted, inheritable, bounding and ambient sets of the calling thread to `plan.keep`. Before:
/// it has CAP_SETPCAP in its user namespace and its final ids. \return 0, or -1 and errno.
[[nodiscard]] int drop(const CapabilitiesPlan& plan);

/// Where nothing is kept: sets and locks the securebits so that no uid and no file ever brings a capability back
/// (NOROOT, NO_SETUID_FIXUP, KEEP_CAPS off, no ambient raise). With kept capabilities only KEEP_CAPS is locked off.
/// Needs CAP_SETPCAP, so it comes before `drop`.
/// \return 0, or -1 and errno.
[[nodiscard]] int lock_securebits(const CapabilitiesPlan& plan);

/// Reads everything back: the five sets equal the plan, the securebits are locked, no_new_privs is set.
/// \return what does not hold; null where everything does.
[[nodiscard]] const char* find_missing(const CapabilitiesPlan& plan);

} // namespace sandbox::capabilities
