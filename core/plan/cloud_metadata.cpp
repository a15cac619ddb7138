#include "core/plan/cloud_metadata.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>

#include "core/plan/address.hpp"

namespace sandbox {

bool is_cloud_metadata(const std::string& host) {
    constexpr auto kNames = std::to_array<std::string_view>(
        {"metadata.google.internal", "metadata.goog", "100.100.100.200", "fd00:ec2::254", "192.0.0.192"});
    const std::optional<Address> address = parse_address(host);
    const bool is_near = address && (address->is_ipv6 ? address->bytes[0] == 0xfe && (address->bytes[1] & 0xc0) == 0x80
                                                      : address->bytes[0] == 169 && address->bytes[1] == 254);
    return is_near || std::ranges::find(kNames, std::string_view(address ? address->text : host)) != kNames.end();
}

} // namespace sandbox
