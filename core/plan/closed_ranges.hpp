// What a name must never lead to: this machine, its neighbours, the metadata service of a cloud.
#pragma once

#include <string>
#include <vector>

#include "core/plan/prefix.hpp"

namespace sandbox {

/// Private, loopback, link-local, multicast and reserved ranges, the metadata services outside of them, `own` (the
/// addresses of the machine's interfaces), and the forms of IPv6 in which these IPv4 ranges can be written.
[[nodiscard]] std::vector<Prefix> closed_ranges(const std::vector<std::string>& own);

} // namespace sandbox
