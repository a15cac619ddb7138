// Ranges of IP addresses: 192.0.2.0/24, 2001:db8::/32.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "core/plan/address.hpp"

namespace sandbox {

struct Prefix {
    Address address;
    int length = 0; ///< leading bits that count

    [[nodiscard]] int width() const { return address.is_ipv6 ? 128 : 32; }
    [[nodiscard]] bool is_single() const { return length == width(); }
    /// Whether every address of `other` is one of this.
    [[nodiscard]] bool contains(const Prefix& other) const;
    /// The same range with the bits behind `length` cleared.
    [[nodiscard]] Prefix trimmed() const;
    /// "192.0.2.7", "192.0.2.0/24", "2001:db8::/32".
    [[nodiscard]] std::string text() const;
};

/// `text` is an address or ADDRESS/LENGTH; bits behind the length are kept. \return nothing where it is neither.
[[nodiscard]] std::optional<Prefix> parse_prefix(std::string_view text);

/// The range of IPv6 that holds the IPv4 range `inner` behind the bits of `outer`, which are whole bytes: RFC 6052 and
/// RFC 3056.
[[nodiscard]] Prefix embedded(const Prefix& inner, const Prefix& outer);

} // namespace sandbox
