#include "core/plan/publish_plan.hpp"

#include <algorithm>
#include <charconv>
#include <optional>
#include <string>
#include <string_view>

#include <fmt/format.h>

#include "core/base/error.hpp"
#include "core/plan/address.hpp"
#include "core/plan/prefix.hpp"

namespace sandbox {

namespace {

int size(const PortRange& range) {
    return range.last - range.first + 1;
}

[[noreturn]] void refuse(const Item& item, const std::string& cause) {
    throw Error(fmt::format("{}: cannot publish {}", written_at(item.origin), quoted(item.text)))
        .cause(cause)
        .fix("[ADDR:]HOST:SANDBOX[/tcp|/udp]: 8080:80, 0:80, [::1]:5353:53/udp, 8000-8010:8000-8010");
}

std::uint16_t parse_port(const Item& item, std::string_view text) {
    unsigned number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (text.empty() || error != std::errc{} || end != text.data() + text.size() || number > 65535) {
        refuse(item, fmt::format("{} is no port: it is a number from 0 to 65535", quoted(text)));
    }
    return static_cast<std::uint16_t>(number);
}

PortRange parse_range(const Item& item, std::string_view text) {
    const std::size_t dash = text.find('-');
    const std::uint16_t first = parse_port(item, text.substr(0, dash));
    const PortRange range{first, dash == std::string_view::npos ? first : parse_port(item, text.substr(dash + 1))};
    if (range.last < range.first) {
        refuse(item, fmt::format("the range {} ends before it begins", quoted(text)));
    }
    return range;
}

/// Takes what stands behind the last `mark` off `text`; nothing where there is no mark.
std::optional<std::string_view> take_behind(std::string_view& text, char mark) {
    const std::size_t at = text.rfind(mark);
    if (at == std::string_view::npos) {
        return std::nullopt;
    }
    const std::string_view behind = text.substr(at + 1);
    text = text.substr(0, at);
    return behind;
}

Address parse_host_address(const Item& item, std::string_view text) {
    const bool in_brackets = text.starts_with('[') && text.ends_with(']') && text.size() > 2;
    const std::string inner(in_brackets ? text.substr(1, text.size() - 2) : text);
    const std::optional<Address> address = parse_address(inner);
    if (!address || address->is_ipv6 != in_brackets) {
        refuse(item, address ? fmt::format("an IPv6 address stands in brackets: [{}]", inner)
                             : fmt::format("{} is no address of an interface of this machine", quoted(text)));
    }
    if (parse_prefix("::ffff:0:0/96")->contains({.address = *address, .length = 128})) {
        refuse(item, fmt::format("{} stands for an IPv4 address, which is written as one", quoted(text)));
    }
    return *address;
}

bool same_host_port(const PublishedPort& left, const PublishedPort& right) {
    const auto is_any = [](const PublishedPort& port) { return port.address == "0.0.0.0" || port.address == "::"; };
    return left.host_port != 0 && left.host_port == right.host_port && left.is_udp == right.is_udp &&
           left.is_ipv6 == right.is_ipv6 && (left.address == right.address || is_any(left) || is_any(right));
}

void add(std::vector<PublishedPort>& plan, PublishedPort port, const Item& item, const NetworkFacts& facts) {
    if (port.host_port != 0 && port.host_port < facts.first_unprivileged_port) {
        throw Error(fmt::format("{}: cannot publish on port {} of the host", written_at(item.origin), port.host_port))
            .cause(fmt::format("ports below {} are for root (net.ipv4.ip_unprivileged_port_start)",
                               facts.first_unprivileged_port))
            .fix("publish on a higher port, or let everybody open it: sudo sysctl -w "
                 "net.ipv4.ip_unprivileged_port_start=" +
                 std::to_string(port.host_port));
    }
    const auto twin = std::ranges::find_if(plan, [&](const auto& other) { return same_host_port(other, port); });
    if (twin != plan.end()) {
        throw Error(fmt::format("{}: cannot publish port {} twice", written_at(item.origin), port.host_port))
            .cause(fmt::format("{} takes it too", written_at(twin->origin)))
            .fix("give one of the two another port of the host");
    }
    plan.push_back(std::move(port));
}

} // namespace

std::vector<PublishedPort> plan_publish(const List& publish, const NetworkFacts& facts) {
    std::vector<PublishedPort> plan;
    for (const Item& item : publish.items) {
        std::string_view text = item.text;
        const std::string_view protocol = take_behind(text, '/').value_or("tcp");
        if (protocol != "tcp" && protocol != "udp") {
            refuse(item, fmt::format("{} is neither tcp nor udp", quoted(protocol)));
        }
        const std::optional<std::string_view> inside = take_behind(text, ':');
        if (!inside) {
            refuse(item, "it names one port, and both are needed: the host's and the sandbox's");
        }
        const PortRange sandbox_ports = parse_range(item, *inside);
        // In "[::1]:80" the last colon is not the one before a port of the host.
        const bool has_address = text.find(':') != std::string_view::npos && !text.ends_with(']');
        const PortRange host_ports = parse_range(item, has_address ? *take_behind(text, ':') : text);
        const Address address = parse_host_address(item, has_address ? text : "127.0.0.1");
        if (sandbox_ports.first == 0) {
            refuse(item, "port 0 of the sandbox leads nowhere");
        }
        if (host_ports.first == 0 && host_ports.last != 0) {
            refuse(item, "port 0 is a free one, wherever that is, and begins no range");
        }
        if (size(host_ports) != size(sandbox_ports) && !(host_ports.first == 0 && host_ports.last == 0)) {
            refuse(item, "the two ranges have different lengths");
        }
        for (int i = 0; i < size(sandbox_ports); ++i) {
            const int host_port = host_ports.last == 0 ? 0 : host_ports.first + i;
            add(plan,
                {.address = address.text,
                 .is_ipv6 = address.is_ipv6,
                 .is_udp = protocol == "udp",
                 .host_port = static_cast<std::uint16_t>(host_port),
                 .sandbox_port = static_cast<std::uint16_t>(sandbox_ports.first + i),
                 .origin = item.origin},
                item, facts);
        }
    }
    return plan;
}

std::string published_words(const PublishedPort& port) {
    const std::string host_port = port.host_port == 0 ? "a free port" : std::to_string(port.host_port);
    return fmt::format("{}{}{}:{} leads to port {}, {}", port.is_ipv6 ? "[" : "", port.address, port.is_ipv6 ? "]" : "",
                       host_port, port.sandbox_port, port.is_udp ? "udp" : "tcp");
}

} // namespace sandbox
