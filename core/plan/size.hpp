// Sizes as people write them: "512m", "1.5G", "64KiB", "4096".
#pragma once

#include <cstdint>
#include <string>

#include "core/plan/origin.hpp"

namespace sandbox {

/// A number of bytes, zero included: a decimal number with k, m, g or t behind it (also K, KiB ...; powers of 1024),
/// which may have a fraction; without a unit it is whole bytes. \throws Error naming `origin` for anything else, and
/// for more than the kernel can count (8 EiB).
[[nodiscard]] std::uint64_t parse_size(const std::string& text, const Origin& origin);

/// For people: "512 MiB", "1.5 GiB", "1000 bytes".
[[nodiscard]] std::string size_words(std::uint64_t bytes);

} // namespace sandbox
