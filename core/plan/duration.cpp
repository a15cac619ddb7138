#include "core/plan/duration.hpp"

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
        .fix("write a number and a unit: 500ms, 30s, 5m, 1.5h, 2d");
}

} // namespace

std::chrono::milliseconds parse_duration(const std::string& text, const Origin& origin) {
    double number = 0;
    const char* const end = text.data() + text.size();
    const auto [rest, error] = std::from_chars(text.data(), end, number, std::chars_format::fixed);
    // from_chars also reads "-1", "inf" and "nan".
    if (error != std::errc() || text[0] < '0' || text[0] > '9') {
        refuse(text, origin, "it does not start with a number");
    }
    const std::string_view unit_name(rest, static_cast<std::size_t>(end - rest));
    for (const Unit& unit : kUnits) {
        if (unit.name != unit_name) {
            continue;
        }
        const double milliseconds = number * unit.milliseconds;
        if (milliseconds > kLongest) {
            refuse(text, origin, "it is longer than a hundred years");
        }
        if (milliseconds < 1) {
            refuse(text, origin, "it is shorter than a millisecond");
        }
        return std::chrono::milliseconds(static_cast<std::chrono::milliseconds::rep>(milliseconds));
    }
    refuse(text, origin, "there is no such unit");
}

} // namespace sandbox
