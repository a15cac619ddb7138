#include "core/plan/closed_ranges.hpp"

#include <array>
#include <optional>

namespace sandbox {

namespace {

// IANA's special-purpose registries, as far as they lead to somewhere near; 100.100.100.200 (Alibaba), 169.254.169.254
// and fd00:ec2::254 (Amazon and others) lie in them, 168.63.129.16 (Azure) does not.
constexpr std::array kClosed = {"0.0.0.0/8",      "10.0.0.0/8",    "100.64.0.0/10", "127.0.0.0/8",    "168.63.129.16",
                                "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24",  "192.168.0.0/16", "224.0.0.0/4",
                                "240.0.0.0/4",    "::/96",         "::ffff:0:0/96", "64:ff9b:1::/48", "fc00::/7",
                                "fe80::/10",      "fec0::/10",     "ff00::/8"};

// A translator between the two protocols takes the IPv4 address out of these.
constexpr std::array kEmbeds = {"64:ff9b::/96", "2002::/16"};

} // namespace

std::vector<Prefix> closed_ranges(const std::vector<std::string>& own) {
    std::vector<Prefix> ranges;
    for (const char* text : kClosed) {
        ranges.push_back(*parse_prefix(text));
    }
    for (const std::string& text : own) {
        if (const std::optional<Prefix> address = parse_prefix(text)) {
            ranges.push_back(*address);
        }
    }
    for (std::size_t i = 0, count = ranges.size(); i < count; ++i) {
        for (const char* outer : kEmbeds) {
            if (!ranges[i].address.is_ipv6) {
                ranges.push_back(embedded(ranges[i], *parse_prefix(outer)));
            }
        }
    }
    return ranges;
}

} // namespace sandbox
