// Durations as people write them: "30s", "5m", "1.5h", "500ms", "90".
#pragma once

#include <chrono>

#include "core/plan/origin.hpp"

namespace sandbox {

/// A positive duration: decimal numbers with ms, s, m, h or d behind each ("1h30m"); without a unit it is seconds.
/// \throws Error naming `origin` for anything else, for zero, and for more than the clock can count.
[[nodiscard]] std::chrono::milliseconds parse_duration(const std::string& text, const Origin& origin);

} // namespace sandbox
