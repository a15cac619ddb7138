// The allow-list in the words of those that hold it: rules for nft(8), a configuration for dnsmasq(8).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/plan/plan.hpp"

namespace sandbox::netns {

/// What the rules are called in `nft list`.
constexpr const char* kTable = "sandbox";
constexpr const char* kRefused4 = "refused4";
constexpr const char* kRefused6 = "refused6";
constexpr const char* kRefusedCounter = "refused";

/// The whole table: what leaves by another interface than the loopback is named by the list, or refused at once and
/// counted. Only the list's own resolver asks those of outside.
[[nodiscard]] std::string rules_text(const AllowPlan& plan);

/// A resolver that passes on questions about allowed names and no other, and opens the addresses of each answer before
/// it gives it.
[[nodiscard]] std::string resolver_text(const AllowPlan& plan, bool ipv6);

/// Addresses are opened in two sets at once, and the sets are emptied by turns, one each `lifetime`: an address stays
/// open for one lifetime after its last answer at least, for two at the most. A set's own time-outs would not do:
/// before Linux 6.12 an element that is there already keeps its old one.
/// \param half 0 or 1. \return what empties those of this turn; empty where the list has no name.
[[nodiscard]] std::string forget_text(const AllowPlan& plan, int half);

} // namespace sandbox::netns
