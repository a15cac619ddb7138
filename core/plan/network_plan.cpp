#include "core/plan/network_plan.hpp"

#include <algorithm>
#include <cerrno>
#include <optional>

#include <fmt/format.h>

#include "core/base/error.hpp"
#include "core/plan/address.hpp"
#include "core/plan/allow_plan.hpp"
#include "core/plan/generated_files.hpp"
#include "core/plan/one_of.hpp"
#include "core/plan/publish_plan.hpp"

namespace sandbox {

namespace {

using Mode = NetworkPlan::Mode;

bool maps_root(const std::vector<MapEntry>& map) {
    return std::ranges::any_of(map, [](const MapEntry& entry) { return entry.inside == 0; });
}

Mode mode_of(const std::string& word) {
    return word == "slirp4netns" ? Mode::slirp4netns : word == "pasta" ? Mode::pasta : Mode::none;
}

Error no_network(const NetworkPlan& plan, std::string_view program) {
    return Error(fmt::format("{}: cannot give the sandbox a network of its own through {}",
                             written_at(plan.mode_origin), program));
}

void refuse_missing_program(const NetworkPlan& plan, const NetworkFacts& facts) {
    if (!plan.program.empty()) {
        return;
    }
    const bool is_slirp = plan.mode == Mode::slirp4netns;
    Error error = no_network(plan, is_slirp ? "slirp4netns" : "pasta").cause("the program is not installed");
    error.fix(is_slirp ? "install the package slirp4netns" : "install the package passt");
    if (is_slirp ? !facts.pasta.empty() : !facts.slirp4netns.empty()) {
        error.fix(is_slirp ? "or --net pasta, which is installed" : "or --net slirp4netns, which is installed");
    }
    throw std::move(error).fix(
        "or --net none (no network at all), or --net host (the host's own, with all it reaches)");
}

void refuse_missing_device(const NetworkPlan& plan, const NetworkFacts& facts) {
    if (facts.tun_error == 0) {
        return;
    }
    Error error = no_network(plan, plan.mode == Mode::slirp4netns ? "slirp4netns" : "pasta");
    error.cause("'/dev/net/tun': " + kernel_word(facts.tun_error));
    error.fix(facts.tun_error == EACCES ? "sudo chmod 0666 /dev/net/tun, as udev has it" : "sudo modprobe tun");
    throw std::move(error).fix("or --net none, or --net host");
}

/// A setting that means nothing without an interface. Who says "no network" over a profile that publishes ports has
/// said enough; who writes both in one place contradicts himself.
void refuse_or_note(const Origin& origin, const char* what, const NetworkPlan& plan, const Layers& layers,
                    std::vector<std::string>& notices) {
    const std::string mode = plan.mode == Mode::host ? "the host's" : "none";
    if (layers.rank(plan.mode_origin) > layers.rank(origin)) {
        notices.push_back(fmt::format("{} has no effect: the network is {} ({})", written_at(origin), mode,
                                      written_at(plan.mode_origin)));
        return;
    }
    throw Error(fmt::format("{}: cannot {}", written_at(origin), what))
        .cause(fmt::format("the network is {} ({})", mode, written_at(plan.mode_origin)))
        .fix("--net slirp4netns");
}

/// The host's network is never taken for one that is held to a list.
void refuse_list_without_interface(const Profile::Network& network, const NetworkPlan& plan, const Layers& layers,
                                   std::vector<std::string>& notices) {
    if (!network.allow.written()) {
        return;
    }
    const Origin& origin = network.allow.items.empty() ? network.allow.origin : network.allow.items.back().origin;
    if (plan.mode != Mode::host) {
        refuse_or_note(origin, "hold the network to a list", plan, layers, notices);
        return;
    }
    throw Error(fmt::format("{}: cannot hold the network to a list", written_at(origin)))
        .cause(fmt::format("the network is the host's ({}), and its rules are not ours to set",
                           written_at(plan.mode_origin)))
        .fix("--net slirp4netns");
}

void check_dns(const List& dns) {
    for (const Item& item : dns.items) {
        const std::optional<Address> address = parse_address(item.text);
        if (!address) {
            throw Error(fmt::format("{}: cannot take {} for a resolver", written_at(item.origin), quoted(item.text)))
                .cause("it is no IP address");
        }
        if (address->is_loopback() || address->is_unspecified()) {
            throw Error(fmt::format("{}: cannot ask a resolver at {}", written_at(item.origin), address->text))
                .cause("inside, that is the sandbox itself")
                .fix("without --dns the host's own resolver is asked, also one on its loopback");
        }
    }
}

/// The list's own resolver asks all of them.
void note_unused_resolvers(const List& dns, std::vector<std::string>& notices) {
    constexpr std::size_t kMostResolvers = 3; // MAXNS of resolv.conf(5)
    for (std::size_t i = kMostResolvers; i < dns.items.size(); ++i) {
        notices.push_back(fmt::format("{} has no effect: programs ask the first {} resolvers",
                                      written_at(dns.items[i].origin), kMostResolvers));
    }
}

bool names_a_resolver(const std::string& resolv_conf) {
    return resolv_conf.starts_with("nameserver") || resolv_conf.find("\nnameserver") != std::string::npos;
}

} // namespace

NetworkPlan plan_network(const Profile::Network& network, const NamespacesPlan& namespaces, const IdsPlan& ids,
                         const Host& host, const Layers& layers, const RootChoice& root,
                         std::vector<std::string>& notices) {
    NetworkPlan plan;
    plan.mode = namespaces.net ? mode_of(one_of(network.mode, kNetworkModes)) : Mode::host;
    plan.mode_origin = namespaces.net.origin;
    NetworkFacts facts;
    if (plan.has_interface()) {
        facts = host.look_at_network();
        plan.program = plan.mode == Mode::slirp4netns ? facts.slirp4netns : facts.pasta;
        refuse_missing_program(plan, facts);
        refuse_missing_device(plan, facts);
        plan.maps_root = maps_root(ids.uid_map) && maps_root(ids.gid_map);
        plan.ipv6 = facts.has_ipv6;
        plan.host_loopback = network.host_loopback.value_or(false);
        plan.host_loopback_origin = network.host_loopback.origin;
        check_dns(network.dns);
        plan.forwards_dns = network.dns.items.empty();
        if (plan.forwards_dns && !names_a_resolver(facts.resolv_conf)) {
            notices.push_back("the host's /etc/resolv.conf names no resolver: names will not resolve (--dns ADDR)");
        }
        plan.publish = plan_publish(network.publish, facts);
        plan.allow = plan_allow(network, ids, facts);
        if (!plan.allow.wanted) {
            note_unused_resolvers(network.dns, notices);
        }
    } else {
        refuse_list_without_interface(network, plan, layers, notices);
        if (!network.publish.items.empty()) {
            refuse_or_note(network.publish.items.back().origin, "publish a port", plan, layers, notices);
        }
        if (!network.dns.items.empty()) {
            refuse_or_note(network.dns.items.back().origin, "choose a resolver", plan, layers, notices);
        }
        if (network.host_loopback.value_or(false)) {
            refuse_or_note(network.host_loopback.origin, "open the host's loopback", plan, layers, notices);
        }
    }
    if (plan.mode == Mode::host && !network.hosts.items.empty()) {
        refuse_or_note(network.hosts.items.back().origin, "add a host to the host's own /etc/hosts", plan, layers,
                       notices);
    }
    if (plan.mode == Mode::host && root.is_tree()) {
        facts = host.look_at_network();
    }
    plan.files = plan_generated_files(network, plan, namespaces, facts, root.is_tree());
    return plan;
}

} // namespace sandbox
