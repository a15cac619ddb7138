#include "core/plan/address.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>
#include <cstring>

namespace sandbox {

namespace {

constexpr std::array<std::uint8_t, 12> kMappedIpv4 = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

} // namespace

bool Address::is_loopback() const {
    if (!is_ipv6) {
        return bytes[0] == 127;
    }
    const bool is_mapped = std::equal(kMappedIpv4.begin(), kMappedIpv4.end(), bytes.begin());
    return std::memcmp(bytes.data(), &in6addr_loopback, bytes.size()) == 0 || (is_mapped && bytes[12] == 127);
}

bool Address::is_unspecified() const {
    return std::ranges::all_of(bytes, [](std::uint8_t byte) { return byte == 0; });
}

std::optional<Address> parse_address(const std::string& text) {
    Address address;
    if (::inet_pton(AF_INET, text.c_str(), address.bytes.data()) != 1) {
        address.is_ipv6 = true;
        if (::inet_pton(AF_INET6, text.c_str(), address.bytes.data()) != 1) {
            return std::nullopt;
        }
    }
    char written[INET6_ADDRSTRLEN] = {};
    ::inet_ntop(address.is_ipv6 ? AF_INET6 : AF_INET, address.bytes.data(), written, sizeof written);
    address.text = written;
    return address;
}

} // namespace sandbox
