// What this machine offers to a network of the sandbox's own. Part of gather_host: system calls are made here.
#pragma once

#include <string_view>

#include "core/plan/host.hpp"

namespace sandbox::host {

/// Looks for the helper programs, /dev/net/tun, IPv6 and the resolver's configuration.
[[nodiscard]] NetworkFacts look_at_network();

/// Whether /proc/net/if_inet6 lists a global address of an interface other than `lo`.
[[nodiscard]] bool lists_global_address(std::string_view if_inet6);

/// Whether /proc/net/ipv6_route lists a way to everywhere, through an interface other than `lo`.
[[nodiscard]] bool lists_default_route(std::string_view ipv6_route);

} // namespace sandbox::host
