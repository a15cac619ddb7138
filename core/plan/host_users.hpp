// The caller as the system's files know him. Part of gather_host: system calls are made here.
#pragma once

#include <string>

#include "core/plan/host.hpp"

namespace sandbox::host {

/// What passwd(5) says about the caller; empty where it says nothing.
struct PasswdEntry {
    std::string name;
    std::string home;
};

/// Looks in /etc/passwd first: asking NSS costs a millisecond.
[[nodiscard]] PasswdEntry find_user(std::uint32_t uid);

/// Fills subuids, subgids and free_subids from /etc/subuid and /etc/subgid, else from getsubids(1) where NSS has
/// ranges.
void find_subids(Host& host);

} // namespace sandbox::host
