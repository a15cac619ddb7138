// The resource limits of CMD's process: setrlimit(2). Each process that it starts inherits them.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/plan/host.hpp"
#include "core/plan/plan.hpp"
#include "core/plan/profile.hpp"

namespace sandbox {

/// A limit that a profile can set: a key of [limits].
struct KnownLimit {
    std::string_view name;   ///< "nofile"
    int resource;            ///< RLIMIT_NOFILE
    bool is_size;            ///< in bytes; else a count
    std::string_view number; ///< how a right value is written: "1024"
    Setting<std::string> Profile::Limits::*setting;
};

/// All of them, in the order in which they are shown.
[[nodiscard]] const std::array<KnownLimit, 5>& known_limits();

/// A profile says "SOFT" or "SOFT:HARD"; one number sets both.
/// \throws Error naming the place for nonsense, for a soft limit above the hard one, and for more than the caller may
/// give: no process can raise its hard limit without privilege over the whole machine.
[[nodiscard]] std::vector<ResourceLimit> plan_limits(const Profile::Limits& limits, const Host& host,
                                                     std::vector<std::string>& notices);

/// For people: "1024", "1.5 GiB", "unlimited".
[[nodiscard]] std::string limit_words(std::uint64_t value, bool is_size);

} // namespace sandbox
