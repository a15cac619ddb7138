// The users that the run tests act as.
#pragma once

#include <sys/types.h>

#include <string>
#include <utility>
#include <vector>

namespace sandbox::test {

/// An account of this machine.
struct User {
    std::string name;
    uid_t uid = 0;
    gid_t gid = 0;
    std::vector<gid_t> groups; ///< all of them, the primary one too
    std::string home;
    std::pair<uid_t, uid_t> subordinate{0, 0}; ///< first and count of the subordinate uids; count 0: none
};

/// Whether root started the tests: then they can act as any user and can mount.
[[nodiscard]] bool started_by_root();

/// Whom the product runs as: `sandbox-test` where root started the tests (users.sh made it), else the caller.
[[nodiscard]] const User& user();

/// `sandbox-bare`, who has no subordinate range. Only where root started the tests.
[[nodiscard]] const User& bare_user();

/// Root, for controls that need the machine's own privilege. Only where root started the tests.
[[nodiscard]] const User& root_user();

/// Becomes `who` for good: groups, gid, uid. For a forked child; leaves with _exit(99) where the kernel refuses.
void become(const User& who);

} // namespace sandbox::test
