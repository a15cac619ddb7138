// Who CMD is, in the ids of the sandbox.
#pragma once

#include <sys/types.h>

#include <cstddef>

namespace sandbox {

/// Of a fixed size: it is filled between clone and exec, and sent to the supervisor.
struct Identity {
    static constexpr std::size_t kMostGroups = 256;

    uid_t uid = 0;
    gid_t gid = 0;
    gid_t groups[kMostGroups] = {};
    std::size_t group_count = 0;
    char home[1024] = "/";
};

} // namespace sandbox
