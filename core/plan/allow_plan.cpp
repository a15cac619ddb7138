#include "core/plan/allow_plan.hpp"

#include <linux/capability.h>

#include <algorithm>
#include <charconv>
#include <optional>

#include <fmt/format.h>

#include "core/base/error.hpp"
#include "core/plan/closed_ranges.hpp"
#include "core/plan/duration.hpp"
#include "core/plan/network_plan.hpp"

namespace sandbox {

namespace {

using Kind = AllowEntry::Kind;

constexpr std::chrono::seconds kLifetime{120};

constexpr const char* kForms = "deb.debian.org, *.npmjs.org:443, 192.0.2.0/24:22, [2001:db8::]/32";

[[noreturn]] void refuse(const Item& item, const std::string& cause, const std::string& fix = kForms) {
    throw Error(fmt::format("{}: cannot allow {}", written_at(item.origin), quoted(item.text))).cause(cause).fix(fix);
}

std::uint16_t parse_port(const Item& item, std::string_view text) {
    unsigned number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (text.empty() || error != std::errc{} || end != text.data() + text.size() || number == 0 || number > 0xffff) {
        refuse(item, fmt::format("{} is no port: it is a number from 1 to 65535", quoted(text)));
    }
    return static_cast<std::uint16_t>(number);
}

PortRange parse_ports(const Item& item, std::string_view text) {
    const std::size_t dash = text.find('-');
    const std::uint16_t first = parse_port(item, text.substr(0, dash));
    const PortRange range{first, dash == std::string_view::npos ? first : parse_port(item, text.substr(dash + 1))};
    if (range.last < range.first) {
        refuse(item, fmt::format("the range {} ends before it begins", quoted(text)));
    }
    return range;
}

bool is_name_byte(char byte) {
    return (byte >= 'a' && byte <= 'z') || (byte >= '0' && byte <= '9') || byte == '-' || byte == '_';
}

/// Why something is no name, and what to write instead.
struct Fault {
    std::string cause;
    std::string fix = kForms;
};

std::optional<Fault> fault_of_label(std::string_view label) {
    constexpr std::size_t kLongestLabel = 63; // RFC 1035, 2.3.4
    if (label.empty()) {
        return Fault{"there is nothing between two of its dots"};
    }
    if (label.size() > kLongestLabel) {
        return Fault{fmt::format("the label {} has {} bytes, and DNS has room for {}", quoted(label), label.size(),
                                 kLongestLabel)};
    }
    if (label.find('*') != std::string_view::npos) {
        return Fault{"a star stands for whole labels, and in front only: *.npmjs.org"};
    }
    if (!std::ranges::all_of(label, is_name_byte) || label.front() == '-' || label.back() == '-') {
        return Fault{fmt::format("{} is no part of a name: letters, digits, underscores, and dashes between them",
                                 quoted(label))};
    }
    return std::nullopt;
}

/// \param name in lower case and without the dot of the root.
std::optional<Fault> fault_of_name(std::string_view name) {
    constexpr std::size_t kLongestName = 253;
    if (std::ranges::any_of(name, [](char byte) { return static_cast<unsigned char>(byte) >= 0x80; })) {
        return Fault{"names travel in ASCII, also those with other letters", "its xn-- form, as idn2(1) prints it"};
    }
    if (name.size() > kLongestName) {
        return Fault{fmt::format("a name has {} bytes at the most", kLongestName)};
    }
    for (std::string_view rest = name;;) {
        const std::size_t dot = rest.find('.');
        if (std::optional<Fault> fault = fault_of_label(rest.substr(0, dot))) {
            return fault;
        }
        if (dot == std::string_view::npos) {
            if (std::ranges::all_of(rest, [](char byte) { return byte >= '0' && byte <= '9'; })) {
                return Fault{"it is neither an IP address nor a name"};
            }
            break;
        }
        rest.remove_prefix(dot + 1);
    }
    if (name == "localhost" || name.ends_with(".localhost")) {
        return Fault{"that is the sandbox itself, which needs no leave to reach itself"};
    }
    return std::nullopt;
}

/// In lower case and without the dot of the root, which name the same host: RFC 4343.
std::string parse_name(const Item& item, std::string_view text) {
    std::string name;
    std::ranges::transform(text, std::back_inserter(name),
                           [](char byte) { return byte >= 'A' && byte <= 'Z' ? static_cast<char>(byte + 32) : byte; });
    if (name.ends_with('.')) {
        name.pop_back();
    }
    if (const std::optional<Fault> fault = fault_of_name(name)) {
        refuse(item, fault->cause, fault->fix);
    }
    return name;
}

Prefix parse_addresses(const Item& item, std::string_view text) {
    const std::optional<Prefix> prefix = parse_prefix(text);
    if (!prefix) {
        refuse(item, fmt::format("{} is no range of addresses", quoted(text)));
    }
    if (prefix->trimmed().address.bytes != prefix->address.bytes) {
        refuse(item, fmt::format("bits are set behind the first {}", prefix->length),
               prefix->trimmed().text() + " for the range");
    }
    const Prefix mapped = *parse_prefix("::ffff:0:0/96");
    if (mapped.contains(*prefix)) {
        refuse(item, "what is written so is sent as IPv4", "the IPv4 address itself");
    }
    return prefix->trimmed();
}

/// "[2001:db8::]/32:443": what stands in brackets and the length behind them, without the port.
std::string_view take_brackets(const Item& item, std::string_view& text, std::string& address) {
    const std::size_t end = text.find(']');
    if (end == std::string_view::npos) {
        refuse(item, "a bracket is open");
    }
    address = text.substr(1, end - 1);
    std::string_view rest = text.substr(end + 1);
    const std::size_t colon = rest.find(':');
    address += rest.substr(0, colon);
    const bool has_length = rest.substr(0, colon).starts_with('/');
    const std::optional<Prefix> prefix = parse_prefix(address);
    if ((!rest.substr(0, colon).empty() && !has_length) || !prefix || !prefix->address.is_ipv6) {
        refuse(item, fmt::format("{} is no IPv6 address", quoted(text.substr(0, end + 1))));
    }
    return colon == std::string_view::npos ? std::string_view() : rest.substr(colon);
}

AllowEntry parse_entry(const Item& item) {
    AllowEntry entry;
    entry.origin = item.origin;
    std::string_view text = item.text;
    std::string host;
    std::string_view port;
    const bool has_brackets = text.starts_with('[');
    if (text.find("://") != std::string_view::npos) {
        refuse(item, "it is a URL, and the network knows hosts and ports");
    }
    if (has_brackets) {
        port = take_brackets(item, text, host);
    } else {
        const std::size_t colon = text.find(':');
        if (colon != text.rfind(':')) {
            refuse(item, "an IPv6 address stands in brackets: [2001:db8::1]:443");
        }
        host = text.substr(0, colon);
        port = colon == std::string_view::npos ? std::string_view() : text.substr(colon);
    }
    if (!port.empty()) {
        entry.ports = parse_ports(item, port.substr(1));
    }
    if (host.find('/') != std::string::npos || parse_prefix(host)) {
        entry.kind = Kind::addresses;
        entry.addresses = parse_addresses(item, host);
    } else if (host.starts_with("*.")) {
        entry.kind = Kind::names_below;
        entry.name = parse_name(item, std::string_view(host).substr(2));
    } else if (host == "*") {
        refuse(item, "that is everything", "no list at all: everything can be reached then");
    } else {
        entry.name = parse_name(item, host);
    }
    return entry;
}

void refuse_missing_program(const AllowPlan& plan) {
    const bool has_nft = !plan.nft.empty();
    if (has_nft && !plan.dnsmasq.empty()) {
        return;
    }
    throw Error(fmt::format("{}: cannot hold the network to a list", written_at(plan.origin)))
        .cause(fmt::format("{} is not installed", has_nft ? "dnsmasq" : "nft"))
        .fix(has_nft ? "install the package dnsmasq-base (Debian, Ubuntu) or dnsmasq" : "install the package nftables");
}

/// An id of the map that CMD does not have and nobody of the host's is, so that neither has rights over the other; the
/// only one where there is no more.
std::uint32_t id_beside(const std::vector<MapEntry>& map, std::uint32_t own) {
    if (map.empty()) {
        return own;
    }
    const MapEntry& last = *std::ranges::max_element(map, {}, &MapEntry::inside);
    const std::uint32_t highest = last.inside + last.count - 1;
    return highest == own && last.count > 1 ? highest - 1 : highest;
}

} // namespace

AllowPlan plan_allow(const Profile::Network& network, const IdsPlan& ids, const NetworkFacts& facts) {
    AllowPlan plan;
    if (!network.allow.written()) {
        return plan;
    }
    plan.wanted = true;
    plan.origin = network.allow.items.empty() ? network.allow.origin : network.allow.items.front().origin;
    plan.nft = facts.nft;
    plan.dnsmasq = facts.dnsmasq;
    refuse_missing_program(plan);
    plan.closed = closed_ranges(facts.own_addresses);
    for (const Item& item : network.allow.items) {
        AllowEntry entry = parse_entry(item);
        entry.opens_near = entry.kind == Kind::addresses && std::ranges::any_of(plan.closed, [&](const Prefix& range) {
                               return range.contains(entry.addresses);
                           });
        plan.entries.push_back(std::move(entry));
    }
    for (const Item& item : network.dns.items) {
        plan.resolvers.push_back(parse_address(item.text)->text);
    }
    if (plan.resolvers.empty()) {
        plan.resolvers.emplace_back(kResolverAddress);
    }
    plan.uid = id_beside(ids.uid_map, ids.uid);
    plan.gid = id_beside(ids.gid_map, ids.gid);
    plan.lifetime = kLifetime;
    if (network.answer_ttl) {
        plan.lifetime = std::chrono::ceil<std::chrono::seconds>(
            parse_duration(*network.answer_ttl.value, network.answer_ttl.origin));
    }
    return plan;
}

void refuse_rights_over_list(const Plan& plan) {
    if (!plan.network.allow.wanted) {
        return;
    }
    const auto refuse_right = [&](std::size_t at, const char* right, const char* cause) {
        throw Error(fmt::format("{}: cannot keep {} where the network is held to a list",
                                written_at(plan.capabilities.origins.at(at)), right))
            .cause(cause)
            .fix(fmt::format("do without it, or without the list ({})", written_at(plan.network.allow.origin)));
    };
    for (std::size_t i = 0; i < plan.capabilities.keep.size(); ++i) {
        const int kept = plan.capabilities.keep[i];
        if (kept == CAP_NET_ADMIN) {
            refuse_right(i, "CAP_NET_ADMIN", "with it CMD can change the rules that are the list");
        } else if (kept == CAP_NET_RAW) {
            refuse_right(i, "CAP_NET_RAW",
                         "what CMD sends through a packet socket passes by the rules that are the list");
        }
    }
}

bool names(const AllowEntry& entry, std::string_view name) {
    if (entry.kind == Kind::names_below) {
        return name.size() > entry.name.size() + 1 && name.ends_with(entry.name) &&
               name[name.size() - entry.name.size() - 1] == '.';
    }
    return entry.kind == Kind::name && name == entry.name;
}

bool can_be_allowed(std::string_view name) {
    return !fault_of_name(name);
}

std::string port_words(const PortRange& ports) {
    if (ports.is_all()) {
        return "";
    }
    return ports.first == ports.last ? fmt::format(":{}", ports.first) : fmt::format(":{}-{}", ports.first, ports.last);
}

std::string allowed_words(const AllowEntry& entry) {
    switch (entry.kind) {
    case Kind::name:
        return entry.name + port_words(entry.ports);
    case Kind::names_below:
        return "*." + entry.name + port_words(entry.ports);
    case Kind::addresses:
        break;
    }
    const Prefix& range = entry.addresses;
    if (!range.address.is_ipv6) {
        return range.text() + port_words(entry.ports);
    }
    return fmt::format("[{}]{}{}", range.address.text, range.is_single() ? "" : fmt::format("/{}", range.length),
                       port_words(entry.ports));
}

} // namespace sandbox
