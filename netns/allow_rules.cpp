#include "netns/allow_rules.hpp"

#include <algorithm>
#include <iterator>
#include <map>
#include <set>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "core/plan/allow_plan.hpp"

namespace sandbox::netns {

namespace {

using Kind = AllowEntry::Kind;

/// What dnsmasq's questions bear: nobody without CAP_NET_ADMIN can send with a mark.
constexpr int kMark = 0x5d;

/// Other resolvers are closed where no entry names their port: plain, and over TLS or QUIC.
constexpr std::uint16_t kDns[] = {53, 853};

bool names_dns_port(const PortRange& ports) {
    return !ports.is_all() && std::ranges::any_of(kDns, [&](std::uint16_t port) { return ports.holds(port); });
}

/// The ports that names are allowed with; each has sets of its own.
std::vector<PortRange> groups(const AllowPlan& plan) {
    std::set<PortRange> found;
    for (const AllowEntry& entry : plan.entries) {
        if (entry.kind != Kind::addresses) {
            found.insert(entry.ports);
        }
    }
    return {found.begin(), found.end()};
}

std::string set_name(std::size_t group, int version, int half) {
    return fmt::format("names{}_{}_{}", group, version, half);
}

std::string port_match(const PortRange& ports) {
    if (ports.is_all()) {
        return "";
    }
    return fmt::format(" meta l4proto {{ tcp, udp }} th dport {}-{}", ports.first, ports.last);
}

std::string elements(const std::vector<Prefix>& ranges, bool ipv6) {
    std::vector<std::string> texts;
    for (const Prefix& range : ranges) {
        if (range.address.is_ipv6 == ipv6) {
            texts.push_back(range.trimmed().text());
        }
    }
    return texts.empty() ? "" : fmt::format(" elements = {{ {} }};", fmt::join(texts, ", "));
}

void write_sets(std::string& text, const AllowPlan& plan) {
    for (std::size_t group = 0; group < groups(plan).size(); ++group) {
        for (const int half : {0, 1}) {
            text += fmt::format("set {} {{ type ipv4_addr; }}\n", set_name(group, 4, half));
            text += fmt::format("set {} {{ type ipv6_addr; }}\n", set_name(group, 6, half));
        }
    }
    text += fmt::format("set near4 {{ type ipv4_addr; flags interval; auto-merge;{} }}\n"
                        "set near6 {{ type ipv6_addr; flags interval; auto-merge;{} }}\n",
                        elements(plan.closed, false), elements(plan.closed, true));
    for (const auto& [name, version] : {std::pair{kRefused4, 4}, {kRefused6, 6}}) {
        text += fmt::format("set {} {{ type ipv{}_addr . inet_proto . inet_service; size 1024; flags dynamic; "
                            "counter; }}\n",
                            name, version);
    }
    text += fmt::format("counter {} {{ }}\n", kRefusedCounter);
}

void write_addresses(std::string& text, const AllowPlan& plan, bool near, bool dns) {
    for (const AllowEntry& entry : plan.entries) {
        if (entry.kind == Kind::addresses && entry.opens_near == near && names_dns_port(entry.ports) == dns) {
            text += fmt::format("{} daddr {}{} accept\n", entry.addresses.address.is_ipv6 ? "ip6" : "ip",
                                entry.addresses.text(), port_match(entry.ports));
        }
    }
}

void write_names(std::string& text, const AllowPlan& plan, bool dns) {
    const std::vector<PortRange> ports = groups(plan);
    for (std::size_t group = 0; group < ports.size(); ++group) {
        for (const int half : {0, 1}) {
            if (names_dns_port(ports[group]) == dns) {
                text += fmt::format("ip daddr @{}{} accept\n", set_name(group, 4, half), port_match(ports[group]));
                text += fmt::format("ip6 daddr @{}{} accept\n", set_name(group, 6, half), port_match(ports[group]));
            }
        }
    }
}

/// The list's own resolver: what CMD asks it is marked, and dnsmasq takes the mark over into its own questions.
void write_resolver(std::string& text, const AllowPlan& plan) {
    for (const std::string& resolver : plan.resolvers) {
        text += fmt::format("meta mark {} {} daddr {} meta l4proto {{ tcp, udp }} th dport 53 accept\n", kMark,
                            parse_address(resolver)->is_ipv6 ? "ip6" : "ip", resolver);
    }
}

/// Of the names below a star, and of those with it.
struct Names {
    std::set<std::string> exact;
    std::set<std::string> below;

    explicit Names(const AllowPlan& plan) {
        for (const AllowEntry& entry : plan.entries) {
            if (entry.kind == Kind::name) {
                exact.insert(entry.name);
            } else if (entry.kind == Kind::names_below) {
                below.insert(entry.name);
            }
        }
    }

    [[nodiscard]] bool is_below_one(const std::string& name) const {
        return std::ranges::any_of(below, [&](const std::string& of) { return name.ends_with("." + of); });
    }
};

void write_questions(std::string& text, const AllowPlan& plan) {
    const Names names(plan);
    const auto pass_on = [&](const std::string& domain) {
        for (const std::string& resolver : plan.resolvers) {
            text += fmt::format("server=/{}/{}\n", domain, resolver);
        }
    };
    for (const std::string& name : names.below) {
        // "/NAME/" is the name and all below it, "/*.NAME/" is what lies below.
        pass_on((names.exact.contains(name) || names.is_below_one(name) ? "" : "*.") + name);
    }
    for (const std::string& name : names.exact) {
        if (!names.below.contains(name) && !names.is_below_one(name)) {
            pass_on(name);
            text += fmt::format("address=/*.{}/\n", name); // no such name, and no question leaves
        }
    }
}

/// dnsmasq looks for the longest name that fits and opens what stands there, so each name gets all that it matches.
void write_openings(std::string& text, const AllowPlan& plan, bool ipv6) {
    const std::vector<PortRange> ports = groups(plan);
    std::map<std::string, std::set<std::size_t>> openings;
    for (const AllowEntry& own : plan.entries) {
        if (own.kind == Kind::addresses) {
            continue;
        }
        for (const AllowEntry& entry : plan.entries) {
            if (entry.kind != Kind::addresses &&
                (entry.name == own.name || (entry.kind == Kind::names_below && names(entry, own.name)))) {
                const auto group = std::ranges::find(ports, entry.ports) - ports.begin();
                openings[own.name].insert(static_cast<std::size_t>(group));
            }
        }
    }
    for (const auto& [name, found] : openings) {
        std::vector<std::string> sets;
        for (const std::size_t group : found) {
            for (const int half : {0, 1}) {
                sets.push_back(fmt::format("4#inet#{}#{}", kTable, set_name(group, 4, half)));
                if (ipv6) {
                    sets.push_back(fmt::format("6#inet#{}#{}", kTable, set_name(group, 6, half)));
                }
            }
        }
        text += fmt::format("nftset=/{}/{}\n", name, fmt::join(sets, ","));
    }
}

} // namespace

std::string rules_text(const AllowPlan& plan) {
    std::string text = fmt::format("table inet {} {{\n", kTable);
    write_sets(text, plan);
    // TCP learns of a refusal in the same moment from a reset, everything else from ICMP.
    text += fmt::format("chain refuse {{\n"
                        "counter name {0}\n"
                        "meta l4proto {{ tcp, udp }} update @{1} {{ ip daddr . meta l4proto . th dport }}\n"
                        "meta l4proto {{ tcp, udp }} update @{2} {{ ip6 daddr . meta l4proto . th dport }}\n"
                        "meta l4proto != {{ tcp, udp }} update @{1} {{ ip daddr . meta l4proto . 0 }}\n"
                        "meta l4proto != {{ tcp, udp }} update @{2} {{ ip6 daddr . meta l4proto . 0 }}\n"
                        "meta l4proto tcp reject with tcp reset\n"
                        "reject with icmpx admin-prohibited\n"
                        "}}\n",
                        kRefusedCounter, kRefused4, kRefused6);
    text += fmt::format("chain output {{\n"
                        "type filter hook output priority filter; policy drop;\n"
                        "oifname lo ip daddr {} meta l4proto {{ tcp, udp }} th dport 53 ct mark set {}\n"
                        "oifname lo accept\n"
                        "ct state established accept\n"
                        "ct state related meta l4proto {{ icmp, icmpv6 }} accept\n",
                        kListResolver, kMark);
    write_resolver(text, plan);
    // IPv6 finds its router and its neighbours with these; without CAP_NET_RAW CMD sends none of them.
    text += "icmpv6 type { nd-router-solicit, nd-neighbor-solicit, nd-neighbor-advert, mld2-listener-report } accept\n";
    const std::string other_resolvers =
        fmt::format("meta l4proto {{ tcp, udp }} th dport {{ {} }} goto refuse\n", fmt::join(kDns, ", "));
    write_addresses(text, plan, true, true);
    // A range near this machine may hold resolvers too, and 10/8 holds the one that leads to the host's.
    text += "ip daddr @near4 " + other_resolvers + "ip6 daddr @near6 " + other_resolvers;
    write_addresses(text, plan, true, false);
    text += "ip daddr @near4 goto refuse\nip6 daddr @near6 goto refuse\n";
    write_addresses(text, plan, false, true);
    write_names(text, plan, true);
    text += other_resolvers;
    write_addresses(text, plan, false, false);
    write_names(text, plan, false);
    return text + "goto refuse\n}\n}\n";
}

std::string resolver_text(const AllowPlan& plan, bool ipv6) {
    // Without a cache, for an answer out of it would open nothing. bind-dynamic: only then the address that was asked
    // is known, without which no mark is found.
    std::string text = fmt::format("listen-address={}\nbind-dynamic\nno-resolv\nno-hosts\ncache-size=0\nno-negcache\n"
                                   "conntrack\npid-file=\nlog-facility=-\nlog-queries=extra\nmax-ttl={}\naddress=/#/\n",
                                   kListResolver, std::max<long>(1, plan.lifetime.count() - 1));
    // No name is this machine: what listens inside is not to be taken for somebody else's.
    text += "bogus-nxdomain=127.0.0.0/8\nbogus-nxdomain=0.0.0.0/8\nbogus-nxdomain=::1\nbogus-nxdomain=::\n";
    if (!ipv6) {
        text += "filter-AAAA\n";
    }
    write_questions(text, plan);
    write_openings(text, plan, ipv6);
    return text;
}

std::string forget_text(const AllowPlan& plan, int half) {
    std::string text;
    for (std::size_t group = 0; group < groups(plan).size(); ++group) {
        for (const int version : {4, 6}) {
            text += fmt::format("flush set inet {} {}\n", kTable, set_name(group, version, half));
        }
    }
    return text;
}

} // namespace sandbox::netns
