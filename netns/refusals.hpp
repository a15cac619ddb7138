// What the allow-list kept CMD from, for the end of a run: what it was, how often, and the line that would allow it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/plan/plan.hpp"
#include "netns/resolver_log.hpp"

namespace sandbox::netns {

/// What was asked for or sent to, and refused.
struct NetworkRefusal {
    enum class Kind : std::uint8_t {
        name,
        address,
        others, ///< more than the list has, or what nft could not tell; only `text` and `count` say something
    };

    Kind kind = Kind::name;
    std::string object; ///< "example.com", "192.0.2.1:80/tcp"; escaped
    std::uint64_t count = 0;
    std::string grant;  ///< the option that allows it, "--net-allow example.com"; empty: nothing does, or should
    std::string advice; ///< why there is no grant, without a full stop
    std::string text;   ///< the whole as a line for people, safe to print
};

/// \param table the answer of `nft -j list table`. \return sorted and bounded; nothing where nothing was refused.
[[nodiscard]] std::vector<NetworkRefusal> refusals(const AllowPlan& plan, const ResolverLog& log,
                                                   std::string_view table);

} // namespace sandbox::netns
