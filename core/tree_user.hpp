// CMD's user as the root's own /etc/passwd and /etc/group have him: passwd(5), group(5).
#pragma once

#include "core/base/identity.hpp"

namespace sandbox {

/// Looks `words` ("USER", "UID", "USER:GROUP", "UID:GID") up in the root `root`, as docker(1) does: a number needs no
/// entry; without a group the user's own counts, and he has all groups that list him; with one he has that alone. Files
/// are read by RESOLVE_IN_ROOT, and a file that is not there is empty. Before: the root stands, and nothing of it has
/// been executed. Plain code.
/// \return 0, or -1 and errno: 0 where a name is not there.
[[nodiscard]] int look_up_user(int root, const char* words, Identity& identity);

} // namespace sandbox
