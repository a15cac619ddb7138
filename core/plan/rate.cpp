#include "core/plan/rate.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <string_view>

#include <fmt/format.h>

#include "core/base/error.hpp"

namespace sandbox {

namespace {

struct UnitPrefix {
    char letter;
    std::uint64_t decimal;
    std::uint64_t binary; ///< with an i behind the letter
};

constexpr std::array<UnitPrefix, 4> kPrefixes = {{
    {'t', 1'000'000'000'000, std::uint64_t{1} << 40},
    {'g', 1'000'000'000, std::uint64_t{1} << 30},
    {'m', 1'000'000, std::uint64_t{1} << 20},
    {'k', 1'000, std::uint64_t{1} << 10},
}};

// Below it a packet of Ethernet's size takes more than a second.
constexpr std::uint64_t kLeast = 1'000;
// No process moves packets from a tap so fast: who writes more has mistaken a unit.
constexpr std::uint64_t kMost = 12'500'000'000;

[[noreturn]] void refuse(const std::string& text, const Origin& origin, const std::string& cause) {
    throw Error(written_at(origin) + ": cannot read the rate " + quoted(text))
        .cause(cause)
        .fix("write bits or bytes a second: 20mbit, 500kbit, 1.5gbit, 2MB/s, 512KiB/s");
}

char lower(char letter) {
    return letter >= 'A' && letter <= 'Z' ? static_cast<char>(letter - 'A' + 'a') : letter;
}

bool is_bit(std::string_view word) {
    return std::ranges::equal(word, std::string_view("bit"), {}, lower);
}

/// How many bits a second one of the unit is; 0 where there is no such unit.
double bits_of(std::string_view unit) {
    if (unit.ends_with("/s")) {
        unit.remove_suffix(2);
    }
    double factor = 1;
    const auto* const prefix =
        unit.empty() ? kPrefixes.end() : std::ranges::find(kPrefixes, lower(unit.front()), &UnitPrefix::letter);
    if (prefix != kPrefixes.end()) {
        unit.remove_prefix(1);
        const bool is_binary = unit.size() > 1 && unit.front() == 'i'; // not the i of bit, which a b comes before
        unit.remove_prefix(is_binary ? 1 : 0);
        factor = static_cast<double>(is_binary ? prefix->binary : prefix->decimal);
    }
    return unit == "B" ? 8 * factor : is_bit(unit) ? factor : 0;
}

/// "mb", "Mb/s", "mbps", "kBps": nobody knows which.
bool is_ambiguous(std::string_view unit) {
    return unit.ends_with("ps") || unit.ends_with("b") || unit.ends_with("b/s");
}

} // namespace

std::uint64_t parse_rate(const std::string& text, const Origin& origin) {
    double number = 0;
    const char* const end = text.data() + text.size();
    const auto [behind, error] = std::from_chars(text.data(), end, number, std::chars_format::fixed);
    // from_chars also reads "-1", "inf" and "nan".
    if (error == std::errc::invalid_argument || text.front() < '0' || text.front() > '9') {
        refuse(text, origin, "it does not start with a number");
    }
    const std::string_view unit(behind, static_cast<std::size_t>(end - behind));
    if (unit.empty() || unit == "/s") {
        refuse(text, origin, "without a unit it may be bits or bytes");
    }
    if (is_ambiguous(unit)) {
        refuse(text, origin, fmt::format("{} is bits to some and bytes to others", quoted(std::string(unit))));
    }
    const double bits = bits_of(unit);
    if (bits == 0) {
        refuse(text, origin, "there is no such unit");
    }
    const double bytes = number * bits / 8;
    if (error == std::errc::result_out_of_range || bytes > static_cast<double>(kMost)) {
        refuse(text, origin, fmt::format("it is more than {}", rate_words(kMost)));
    }
    if (bytes < static_cast<double>(kLeast)) {
        refuse(text, origin, fmt::format("it is less than {}: nothing gets through", rate_words(kLeast)));
    }
    return static_cast<std::uint64_t>(bytes);
}

std::string rate_words(std::uint64_t bytes_per_second) {
    const std::uint64_t bits = bytes_per_second * 8;
    for (const UnitPrefix& prefix : kPrefixes) {
        // What two decimals say exactly; a thousand bits and one are told in bits.
        if (bits >= prefix.decimal && bits % prefix.decimal * 100 % prefix.decimal == 0) {
            const char letter = prefix.letter == 'k' ? 'k' : static_cast<char>(prefix.letter - 'a' + 'A');
            return fmt::format("{} {}bit/s", static_cast<double>(bits) / static_cast<double>(prefix.decimal), letter);
        }
    }
    return fmt::format("{} bit/s", bits);
}

} // namespace sandbox
