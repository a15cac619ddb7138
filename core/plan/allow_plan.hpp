// The allow-list of the network: "deb.debian.org", "*.npmjs.org:443", "192.0.2.0/24:22", "[2001:db8::]/32".
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/plan/host.hpp"
#include "core/plan/layers.hpp"
#include "core/plan/plan.hpp"

namespace sandbox {

/// Where the sandbox's own resolver listens: an address of the loopback that no server of CMD's is expected at.
constexpr const char* kListResolver = "127.0.0.53";

/// \throws Error for what is malformed, and where a program that enforces it is missing.
[[nodiscard]] AllowPlan plan_allow(const Profile::Network& network, const IdsPlan& ids, const NetworkFacts& facts);

/// A right over the network namespace undoes its rules.
/// \throws Error where CMD keeps one together with a list.
void refuse_rights_over_list(const Plan& plan);

/// Whether `entry` is about the host `name` (lower case, without a final dot).
[[nodiscard]] bool names(const AllowEntry& entry, std::string_view name);

/// Whether an entry can hold `name` (lower case, without a final dot), as plan_allow reads it: programs ask resolvers
/// about other things than hosts too.
[[nodiscard]] bool can_be_allowed(std::string_view name);

/// The entry in its plain form: "*.npmjs.org:443", "[2001:db8::]/32".
[[nodiscard]] std::string allowed_words(const AllowEntry& entry);

/// "", ":443", ":8000-8010".
[[nodiscard]] std::string port_words(const PortRange& ports);

} // namespace sandbox
