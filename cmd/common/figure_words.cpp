#include "cmd/common/figure_words.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "core/plan/size.hpp"

namespace sandbox {

std::string about_bytes(std::uint64_t bytes) {
    for (const auto& [name, unit] : {std::pair{"TiB", 1e12}, {"GiB", 1e9}, {"MiB", 1e6}, {"KiB", 1e3}}) {
        // A unit is used from its decimal namesake on, so that the number has at least one digit that tells something.
        const double binary = unit == 1e12 ? 0x1p40 : unit == 1e9 ? 0x1p30 : unit == 1e6 ? 0x1p20 : 0x1p10;
        if (static_cast<double>(bytes) >= unit) {
            return fmt::format("{:.1f} {}", static_cast<double>(bytes) / binary, name);
        }
    }
    return size_words(bytes);
}

std::string about_age(std::chrono::seconds age) {
    const auto seconds = std::max<std::int64_t>(age.count(), 0); // the clock may have been set back
    for (const auto& [letter, unit] : {std::pair{'d', 86'400}, {'h', 3'600}, {'m', 60}}) {
        if (seconds >= unit) {
            return fmt::format("{}{}", seconds / unit, letter);
        }
    }
    return fmt::format("{}s", seconds);
}

std::string about_time(std::uint64_t microseconds) {
    const std::uint64_t seconds = microseconds / 1'000'000;
    if (seconds >= 3'600) {
        return fmt::format("{}h{:02}m", seconds / 3'600, seconds % 3'600 / 60);
    }
    if (seconds >= 60) {
        return fmt::format("{}m{:02}s", seconds / 60, seconds % 60);
    }
    return fmt::format(fmt::runtime(seconds >= 10 ? "{:.1f}s" : "{:.2f}s"), static_cast<double>(microseconds) / 1e6);
}

} // namespace sandbox
