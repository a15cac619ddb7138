#include "core/plan/size.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>
#include <string_view>

#include <fmt/format.h>

#include "core/base/error.hpp"

namespace sandbox {

namespace {

struct Unit {
    char letter;
    std::string_view name;
    std::uint64_t bytes;
};

constexpr std::array<Unit, 4> kUnits = {{
    {'t', "TiB", std::uint64_t{1} << 40},
    {'g', "GiB", std::uint64_t{1} << 30},
    {'m', "MiB", std::uint64_t{1} << 20},
    {'k', "KiB", std::uint64_t{1} << 10},
}};

// loff_t, and TOML's numbers, end there.
constexpr std::uint64_t kLargest = std::numeric_limits<std::int64_t>::max();

[[noreturn]] void refuse(const std::string& text, const Origin& origin, const char* cause) {
    throw Error(written_at(origin) + ": cannot read the size " + quoted(text))
        .cause(cause)
        .fix("write a number of bytes, or one with a unit: 4096, 64k, 512m, 1.5G, 64KiB");
}

bool is_digit(char byte) {
    return byte >= '0' && byte <= '9';
}

/// The bytes of "k", "K", "kib" or "KiB"; 1 of "" and "B"; 0 where there is no such unit.
std::uint64_t bytes_of(std::string_view unit) {
    std::string lower(unit);
    std::ranges::transform(lower, lower.begin(),
                           [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
    if (lower.empty() || lower == "b") {
        return 1;
    }
    const bool is_known_form = lower.size() == 1 || lower.substr(1) == "ib";
    const auto* const found = std::ranges::find(kUnits, lower.front(), &Unit::letter);
    return is_known_form && found != kUnits.end() ? found->bytes : 0;
}

} // namespace

std::uint64_t parse_size(const std::string& text, const Origin& origin) {
    const char* const end = text.data() + text.size();
    std::uint64_t whole = 0;
    const auto [behind, error] = std::from_chars(text.data(), end, whole);
    if (error == std::errc::invalid_argument) {
        refuse(text, origin, "it does not start with a number");
    }
    const char* unit_start = behind;
    double fraction = 0;
    const bool has_fraction = behind != end && *behind == '.';
    if (has_fraction) {
        unit_start = std::find_if_not(behind + 1, end, is_digit);
        if (unit_start == behind + 1) {
            refuse(text, origin, "a digit is missing behind the point");
        }
        std::from_chars(behind, unit_start, fraction, std::chars_format::fixed);
    }
    const std::string_view unit(unit_start, static_cast<std::size_t>(end - unit_start));
    const std::uint64_t bytes = bytes_of(unit);
    if (bytes == 0) {
        refuse(text, origin, "there is no such unit");
    }
    if (has_fraction && bytes == 1) {
        refuse(text, origin, "there is no part of a byte");
    }
    // The fraction adds less than one unit.
    if (error == std::errc::result_out_of_range || whole >= kLargest / bytes + (has_fraction ? 0U : 1U)) {
        refuse(text, origin, "it is more than 8 EiB");
    }
    return whole * bytes + static_cast<std::uint64_t>(fraction * static_cast<double>(bytes));
}

std::string size_words(std::uint64_t bytes) {
    for (const Unit& unit : kUnits) {
        // What two decimals say exactly; 1 KiB and a byte is told in bytes.
        if (bytes >= unit.bytes && bytes % unit.bytes * 100 % unit.bytes == 0) {
            return fmt::format("{} {}", static_cast<double>(bytes) / static_cast<double>(unit.bytes), unit.name);
        }
    }
    return fmt::format("{} {}", bytes, bytes == 1 ? "byte" : "bytes");
}

} // namespace sandbox
