#include "core/plan/prefix.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>
#include <charconv>
#include <cstdint>

#include <fmt/format.h>

namespace sandbox {

namespace {

constexpr int kByte = 8;

/// The bits of a byte that count where `length` bits of the whole do.
std::uint8_t mask(int length, int byte) {
    const int bits = std::clamp(length - byte * kByte, 0, kByte);
    return static_cast<std::uint8_t>(0xff00U >> static_cast<unsigned>(bits));
}

void write_text(Address& address) {
    char written[INET6_ADDRSTRLEN] = {};
    ::inet_ntop(address.is_ipv6 ? AF_INET6 : AF_INET, address.bytes.data(), written, sizeof written);
    address.text = written;
}

} // namespace

bool Prefix::contains(const Prefix& other) const {
    if (address.is_ipv6 != other.address.is_ipv6 || other.length < length) {
        return false;
    }
    for (int i = 0; i < width() / kByte; ++i) {
        const auto at = static_cast<std::size_t>(i);
        if (((address.bytes.at(at) ^ other.address.bytes.at(at)) & mask(length, i)) != 0) {
            return false;
        }
    }
    return true;
}

Prefix Prefix::trimmed() const {
    Prefix result = *this;
    for (int i = 0; i < width() / kByte; ++i) {
        result.address.bytes.at(static_cast<std::size_t>(i)) &= mask(length, i);
    }
    write_text(result.address);
    return result;
}

std::string Prefix::text() const {
    return is_single() ? address.text : fmt::format("{}/{}", address.text, length);
}

std::optional<Prefix> parse_prefix(std::string_view text) {
    const std::size_t slash = text.find('/');
    const std::optional<Address> address = parse_address(std::string(text.substr(0, slash)));
    if (!address) {
        return std::nullopt;
    }
    Prefix prefix{.address = *address};
    prefix.length = prefix.width();
    if (slash == std::string_view::npos) {
        return prefix;
    }
    const std::string_view digits = text.substr(slash + 1);
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), prefix.length);
    const bool is_number = error == std::errc{} && end == digits.data() + digits.size() && digits.front() != '-';
    return is_number && prefix.length <= prefix.width() ? std::optional(prefix) : std::nullopt;
}

Prefix embedded(const Prefix& inner, const Prefix& outer) {
    Prefix result = outer;
    const auto first = static_cast<std::size_t>(outer.length / kByte);
    for (std::size_t i = 0; i < 4; ++i) {
        result.address.bytes.at(first + i) = inner.address.bytes.at(i);
    }
    result.length = outer.length + inner.length;
    write_text(result.address);
    return result;
}

} // namespace sandbox
