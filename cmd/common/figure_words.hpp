// Figures as people read them: three digits are enough of what was counted.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace sandbox {

/// "12.3 MiB".
[[nodiscard]] std::string about_bytes(std::uint64_t bytes);

/// "12s", "5m", "3h", "2d": its greatest unit, rounded down.
[[nodiscard]] std::string about_age(std::chrono::seconds age);

/// "0.12s", "12.3s", "5m12s", "3h05m".
[[nodiscard]] std::string about_time(std::uint64_t microseconds);

} // namespace sandbox
