// Ids, groups, keyring and no_new_privs of the process that becomes pid 1: credentials(7).
#pragma once

#include "core/base/step.hpp"
#include "core/plan/plan.hpp"
#include "core/tree_user.hpp"

namespace sandbox::credentials {

/// Joins a new, empty session keyring, so that the caller's keys stay outside: session-keyring(7). A kernel without
/// keys has none to leave.
void leave_session_keyring(const StepReporter& failure);

/// Drops the supplementary groups where `drops_groups` says so, for those of `identity`, then takes its gid and uid.
/// Before: the maps are written. After: real, effective and saved ids are the identity's, read back.
void take_ids(bool drops_groups, const Identity& identity, const StepReporter& failure);

/// Locks the securebits, cuts the capabilities and sets no_new_privs, then reads all of it back from the kernel.
/// Before: the ids are final. After: nothing that this process executes can gain a privilege.
void give_up_privileges(const CapabilitiesPlan& plan, const StepReporter& failure);

} // namespace sandbox::credentials
