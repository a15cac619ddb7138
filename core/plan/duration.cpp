#include "core/plan/duration.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <string_view>

#include "core/base/error.hpp"
#include "core/plan/layers.hpp"

namespace sandbox {

namespace {

struct Unit {
    std::string_view name;
    double milliseconds;
};

constexpr std::array<Unit, 6> kUnits = {{
    {"", 1e3},
    {"ms", 1},
    {"s", 1e3},
    {"m", 60e3},
    {"h", 3600e3},
    {"d", 86400e3},
}};

// timerfd and poll count further, but a run of a hundred years is a mistyped number.
constexpr double kLongest = 100.0 * 365 * 86400e3;

[[noreturn]] void refuse(const std::string& text, const Origin& origin, const char* cause) {
    throw Error(written_at(origin) + ": cannot read the duration " + quoted(text))
        .cause(cause)
        .fix("write a number and a unit: 500ms, 30s, 5m, 1h30m, 2d");
}

} // namespace

std::chrono::milliseconds parse_duration(const std::string& text, const Origin& origin) {
    const char* position = text.data();
    const char* const end = position + text.size();
    double milliseconds = 0;
    do {
        double number = 0;
        const auto [rest, error] = std::from_chars(position, end, number, std::chars_format::fixed);
        // from_chars also reads "-1", "inf" and "nan".
        if (error != std::errc() || *position < '0' || *position > '9') {
            refuse(text, origin, position == text.data() ? "it does not start with a number" : "a number is missing");
        }
        const char* const unit_end = std::find_if(rest, end, [](char byte) { return byte >= '0' && byte <= '9'; });
        const std::string_view unit_name(rest, static_cast<std::size_t>(unit_end - rest));
        const auto* const unit =
            std::find_if(kUnits.begin(), kUnits.end(), [&](const Unit& known) { return known.name == unit_name; });
        if (unit == kUnits.end()) {
            refuse(text, origin, "there is no such unit");
        }
        if (unit_name.empty() && position != text.data()) {
            refuse(text, origin, "a unit is missing");
        }
        milliseconds += number * unit->milliseconds;
        position = unit_end;
    } while (position != end);
    if (milliseconds > kLongest) {
        refuse(text, origin, "it is longer than a hundred years");
    }
    if (milliseconds < 1) {
        refuse(text, origin, "it is shorter than a millisecond");
    }
    return std::chrono::milliseconds(static_cast<std::chrono::milliseconds::rep>(milliseconds));
}

} // namespace sandbox
