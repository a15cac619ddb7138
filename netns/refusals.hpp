// What the allow-list kept CMD from, for the end of a run: what it was, how often, and the line that would allow it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/plan/plan.hpp"
#include "netns/resolver_log.hpp"

namespace sandbox::netns {

/// \param table the answer of `nft -j list table`. \return lines for people, safe to print, sorted and bounded; none
/// where nothing was refused.
[[nodiscard]] std::vector<std::string> refusal_lines(const AllowPlan& plan, const ResolverLog& log,
                                                     std::string_view table);

} // namespace sandbox::netns
