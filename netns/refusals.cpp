#include "netns/refusals.hpp"

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <nlohmann/json.hpp>
#include <tuple>
#include <utility>

#include <fmt/format.h>

#include "core/base/error.hpp"
#include "core/plan/allow_plan.hpp"
#include "core/plan/cloud_metadata.hpp"
#include "netns/allow_rules.hpp"

namespace sandbox::netns {

namespace {

using Json = nlohmann::json;

constexpr std::size_t kMostLines = 20;

struct Refusal {
    Address address;
    std::string protocol;
    std::uint16_t port = 0; ///< 0: the protocol has none
    std::uint64_t packets = 0;

    [[nodiscard]] auto key() const { return std::tie(address.is_ipv6, address.bytes, protocol, port); }
};

/// What the rules have counted: {"set": {"name": "refused4", "elem": [{"elem": {"val": {"concat": [ADDRESS, "tcp",
/// 80]}, "counter": {"packets": 1, ...}}}]}}, {"counter": {"name": "refused", "packets": 4, ...}}.
struct Counts {
    std::vector<Refusal> refusals;
    std::uint64_t packets = 0; ///< all of them; more than the sum where the sets had no room
    bool is_read = false;
};

std::string word(const Json& value) {
    return value.is_string() ? value.get<std::string>() : value.dump();
}

/// nft names a protocol where it finds /etc/protocols, which it has not where it stands.
std::string protocol_name(const Json& value) {
    constexpr std::pair<std::string_view, const char*> kNames[] = {
        {"1", "icmp"}, {"6", "tcp"}, {"17", "udp"}, {"58", "icmpv6"}, {"132", "sctp"}, {"136", "udplite"}};
    const std::string text = word(value);
    const auto* const known = std::ranges::find(kNames, text, &std::pair<std::string_view, const char*>::first);
    return known == std::end(kNames) ? text : known->second;
}

void read_set(const Json& set, Counts& counts) {
    const std::string name = set.value("name", "");
    if ((name != kRefused4 && name != kRefused6) || !set.contains("elem")) {
        return;
    }
    for (const Json& member : set.at("elem")) {
        const Json& element = member.at("elem");
        const Json& parts = element.at("val").at("concat");
        const std::optional<Address> address = parse_address(word(parts.at(0)));
        if (address) {
            counts.refusals.push_back(
                {.address = *address,
                 .protocol = protocol_name(parts.at(1)),
                 .port = parts.at(2).is_number() ? parts.at(2).get<std::uint16_t>() : std::uint16_t{0},
                 .packets = element.at("counter").value("packets", std::uint64_t{0})});
        }
    }
}

Counts read_counts(std::string_view table) {
    Counts counts;
    const Json document = Json::parse(table, nullptr, false);
    if (document.is_discarded() || !document.contains("nftables")) {
        return counts;
    }
    try {
        for (const Json& item : document.at("nftables")) {
            if (item.contains("set")) {
                read_set(item.at("set"), counts);
            } else if (item.contains("counter") && item.at("counter").value("name", "") == kRefusedCounter) {
                counts.packets = item.at("counter").value("packets", std::uint64_t{0});
            }
        }
        counts.is_read = true;
    } catch (const Json::exception&) {
        counts = {}; // another nft writes otherwise: said, not guessed
    }
    std::ranges::sort(counts.refusals, {}, &Refusal::key);
    return counts;
}

std::string times(std::uint64_t count) {
    return count == 1 ? "once" : fmt::format("{} times", count);
}

bool is_near(const AllowPlan& plan, const Address& address) {
    const Prefix single{.address = address, .length = address.is_ipv6 ? 128 : 32};
    return std::ranges::any_of(plan.closed, [&](const Prefix& range) { return range.contains(single); });
}

NetworkRefusal told(const AllowPlan& plan, const ResolverLog& log, const Refusal& refusal) {
    const std::string name = log.name_of(refusal.address.text);
    const std::string host = refusal.address.is_ipv6 ? fmt::format("[{}]", refusal.address.text) : refusal.address.text;
    const bool near = is_near(plan, refusal.address);
    const std::string port = refusal.port == 0 ? "" : fmt::format(":{}", refusal.port);
    // A name opens nothing near, whatever its port.
    const std::string allow = (name.empty() || near ? host : escaped(name)) + port;
    const bool is_metadata = is_cloud_metadata(refusal.address.text) || is_cloud_metadata(name);
    const std::string grant = is_metadata ? "" : "--net-allow " + shell_quoted(allow);
    const std::string advice = is_metadata ? kMetadataAdvice : "";
    return {.kind = NetworkRefusal::Kind::address,
            .object = host + port + "/" + escaped(refusal.protocol),
            .count = refusal.packets,
            .grant = grant,
            .advice = advice,
            .text = fmt::format(
                "{}{}, {}{}, {}{}: {}", name.empty() ? "" : escaped(name) + " at ", host, escaped(refusal.protocol),
                refusal.port == 0 ? "" : fmt::format(" port {}", refusal.port), times(refusal.packets),
                near && !is_metadata ? ", near this machine, where no name leads" : "", is_metadata ? advice : grant)};
}

/// A name that was asked for in each search domain in turn is one that was asked for.
bool is_searched(const ResolverLog& log, std::string_view name) {
    for (std::size_t dot = name.find('.'); dot != std::string_view::npos; dot = name.find('.', dot + 1)) {
        const std::string_view shorter = name.substr(0, dot);
        if (shorter.find('.') != std::string_view::npos && log.refused().contains(std::string(shorter))) {
            return true;
        }
    }
    return false;
}

NetworkRefusal told(const std::string& name, std::uint64_t questions) {
    const bool is_metadata = is_cloud_metadata(name);
    const bool is_host = can_be_allowed(name);
    const std::string grant = is_host && !is_metadata ? "--net-allow " + name : "";
    const std::string ending = is_metadata ? std::string(": ") + kMetadataAdvice
                               : is_host   ? ": " + grant
                                           : ", which names no host";
    return {.kind = NetworkRefusal::Kind::name,
            .object = escaped(name),
            .count = questions,
            .grant = grant,
            .advice = is_metadata ? kMetadataAdvice
                      : is_host   ? ""
                                  : "it names no host",
            .text = fmt::format("{}, asked for {}{}", sandbox::quoted(name), times(questions), ending)};
}

NetworkRefusal told_to_itself(const std::string& name, std::uint64_t questions) {
    return {.kind = NetworkRefusal::Kind::name,
            .object = escaped(name),
            .count = questions,
            .grant = "",
            .advice = "it leads to a loopback address, which is no other machine's",
            .text = fmt::format("{}, asked for {}, leads to a loopback address, which is no other machine's",
                                sandbox::quoted(name), times(questions))};
}

NetworkRefusal others(std::uint64_t count, std::string text) {
    return {.kind = NetworkRefusal::Kind::others,
            .object = "",
            .count = count,
            .grant = "",
            .advice = "",
            .text = std::move(text)};
}

} // namespace

std::vector<NetworkRefusal> refusals(const AllowPlan& plan, const ResolverLog& log, std::string_view table) {
    std::vector<NetworkRefusal> list;
    for (const auto& [name, questions] : log.refused()) {
        if (!is_searched(log, name)) {
            list.push_back(told(name, questions));
        }
    }
    for (const auto& [name, questions] : log.to_itself()) {
        list.push_back(told_to_itself(name, questions));
    }
    const Counts counts = read_counts(table);
    std::uint64_t listed = 0;
    for (const Refusal& refusal : counts.refusals) {
        list.push_back(told(plan, log, refusal));
        listed += refusal.packets;
    }
    std::uint64_t more = log.refused_others() + (counts.packets > listed ? counts.packets - listed : 0);
    if (list.size() > kMostLines) {
        more += list.size() - kMostLines;
        list.resize(kMostLines);
    }
    if (more > 0) {
        list.push_back(others(more, fmt::format("and {} more", more)));
    }
    if (!counts.is_read) {
        list.push_back(others(0, "which addresses were refused could not be read from nft"));
    }
    return list;
}

} // namespace sandbox::netns
