// Rates of a network as people write them: "20mbit", "1.5Gbit/s", "2MB/s", "500KiB/s".
#pragma once

#include <cstdint>
#include <string>

#include "core/plan/origin.hpp"

namespace sandbox {

/// Bytes a second: a decimal number, which may have a fraction, and a unit, which may end in "/s". Bits are spelt out
/// in either case (bit, kbit, Mbit, gibit), bytes have a capital B (B, kB, MB, GiB). Powers of 1000, with an i of 1024:
/// units of tc(8). A b alone, a "ps" and a bare number are refused: tc's mbps is bytes, and elsewhere it is bits.
/// \throws Error naming `origin` for anything else, and for what is below 8 kbit/s or above 100 Gbit/s.
[[nodiscard]] std::uint64_t parse_rate(const std::string& text, const Origin& origin);

/// For people: "20 Mbit/s", "1.5 Gbit/s".
[[nodiscard]] std::string rate_words(std::uint64_t bytes_per_second);

} // namespace sandbox
