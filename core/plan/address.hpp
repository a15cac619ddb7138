// IP addresses as people write them: inet_pton(3).
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>

namespace sandbox {

struct Address {
    bool is_ipv6 = false;
    std::array<std::uint8_t, 16> bytes{}; ///< in network order; IPv4 fills the first four
    std::string text;                     ///< as inet_ntop(3) writes it

    /// 127.0.0.0/8, ::1, and the first of the two inside IPv6 (::ffff:127.0.0.1).
    [[nodiscard]] bool is_loopback() const;
    /// 0.0.0.0 and ::
    [[nodiscard]] bool is_unspecified() const;
};

/// \return nothing where `text` is neither an IPv4 nor an IPv6 address.
[[nodiscard]] std::optional<Address> parse_address(const std::string& text);

} // namespace sandbox
