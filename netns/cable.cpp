#include "netns/cable.hpp"

#include <arpa/inet.h>
#include <linux/if_addr.h>
#include <linux/if_ether.h>
#include <linux/if_link.h>
#include <linux/neighbour.h>
#include <linux/pkt_sched.h>
#include <linux/veth.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <optional>

#include <fmt/format.h>

#include "core/base/error.hpp"
#include "core/plan/bandwidth_plan.hpp"
#include "core/plan/network_plan.hpp"
#include "core/user_namespace.hpp"
#include "netns/inside.hpp"

namespace sandbox::netns {

namespace {

constexpr const char* kCable = "cable"; // its other end is the sandbox's interface
constexpr const char* kNear = "near";
constexpr const char* kFar = "far";
constexpr const char* kOut = "out";
constexpr const char* kIn = "in";

// Locally administered. The sandbox is told that it belongs to kFarAddress: pasta answers for every address but the
// sandbox's own.
constexpr std::array<std::uint8_t, 6> kFarHardwareAddress = {0x02, 0, 0, 0, 0, 0x01};

constexpr SocketKind kNetlinkSocket{AF_NETLINK, SOCK_RAW, NETLINK_ROUTE};
constexpr std::uint16_t kCreate = NLM_F_CREATE | NLM_F_EXCL;

void check(int error_number, const char* what, const char* object) {
    if (error_number != 0) {
        throw Error(fmt::format("cannot {} '{}' between the sandbox and its network", what, object))
            .kernel(error_number);
    }
}

ifinfomsg link(int index = 0) {
    ifinfomsg message{};
    message.ifi_index = index;
    return message;
}

ifinfomsg link_going_up(int index) {
    ifinfomsg message = link(index);
    message.ifi_flags = IFF_UP;
    message.ifi_change = IFF_UP;
    return message;
}

int find(Netlink& netlink, const char* name) {
    int index = 0;
    NetlinkRequest request(RTM_GETLINK, 0, link());
    request.add(IFLA_IFNAME, std::string_view(name));
    const int error_number = netlink.ask(request, [&](const nlmsghdr& message) {
        index = static_cast<const ifinfomsg*>(NLMSG_DATA(&message))->ifi_index;
    });
    check(error_number, "find the interface", name);
    return index;
}

/// The namespace has no address of its own for anybody to talk to; where IPv6 was left out of the kernel, it has none
/// anyway.
void give_no_ipv6_address(Netlink& netlink, int index) {
    static constexpr std::uint8_t kNoAddress = IN6_ADDR_GEN_MODE_NONE;
    NetlinkRequest request(RTM_SETLINK, 0, link(index));
    request.nest(IFLA_AF_SPEC, [](NetlinkRequest& families) {
        families.nest(AF_INET6, [](NetlinkRequest& family) { family.add(IFLA_INET6_ADDR_GEN_MODE, kNoAddress); });
    });
    static_cast<void>(netlink.ask(request));
}

/// An address or a route of an interface, as the kernel told it: it can be given to another one.
template <class Fixed> struct Copied {
    Fixed fixed{};
    std::vector<std::pair<std::uint16_t, std::vector<std::byte>>> attributes;

    Copied(const nlmsghdr& message, std::span<const std::uint16_t> wanted) {
        std::memcpy(&fixed, NLMSG_DATA(&message), sizeof fixed);
        for (const NetlinkAttribute& attribute : netns::attributes(message, sizeof fixed)) {
            if (std::ranges::find(wanted, attribute.type) != wanted.end()) {
                attributes.emplace_back(attribute.type,
                                        std::vector<std::byte>(attribute.value.begin(), attribute.value.end()));
            }
        }
    }

    [[nodiscard]] NetlinkRequest request(std::uint16_t type, std::uint16_t flags) const {
        NetlinkRequest request(type, flags, fixed);
        for (const auto& [attribute, value] : attributes) {
            request.add(attribute, std::span<const std::byte>(value));
        }
        return request;
    }
};

using Address = Copied<ifaddrmsg>;
using Route = Copied<rtmsg>;

std::vector<Address> addresses_of(Netlink& netlink, int index) {
    constexpr std::uint16_t kWanted[] = {IFA_LOCAL, IFA_ADDRESS, IFA_BROADCAST};
    std::vector<Address> found;
    const int error_number =
        netlink.ask(NetlinkRequest(RTM_GETADDR, NLM_F_DUMP, ifaddrmsg{}), [&](const nlmsghdr& message) {
            Address address(message, kWanted);
            if (static_cast<int>(address.fixed.ifa_index) == index) {
                found.push_back(std::move(address));
            }
        });
    check(error_number, "read the addresses of", kSandboxInterface);
    return found;
}

/// Those that somebody wrote: the kernel makes the others again of itself, out of an address or a router's word.
std::vector<Route> routes_of(Netlink& netlink, int index) {
    constexpr std::uint16_t kWanted[] = {RTA_DST, RTA_GATEWAY, RTA_PREFSRC, RTA_PRIORITY};
    std::vector<Route> found;
    const int error_number =
        netlink.ask(NetlinkRequest(RTM_GETROUTE, NLM_F_DUMP, rtmsg{}), [&](const nlmsghdr& message) {
            const auto& route = *static_cast<const rtmsg*>(NLMSG_DATA(&message));
            int device = 0;
            for (const NetlinkAttribute& attribute : attributes(message, sizeof route)) {
                if (attribute.type == RTA_OIF && attribute.value.size() == sizeof device) {
                    std::memcpy(&device, attribute.value.data(), sizeof device);
                }
            }
            const bool is_written = route.rtm_protocol != RTPROT_KERNEL && route.rtm_protocol != RTPROT_RA &&
                                    route.rtm_table == RT_TABLE_MAIN && route.rtm_type == RTN_UNICAST &&
                                    (route.rtm_flags & RTM_F_CLONED) == 0;
            if (device == index && is_written) {
                found.emplace_back(message, kWanted);
            }
        });
    check(error_number, "read the routes of", kSandboxInterface);
    return found;
}

/// A route is only taken where its gateway is reached already: those without one come first.
bool has_gateway(const Route& route) {
    return std::ranges::any_of(route.attributes, [](const auto& attribute) { return attribute.first == RTA_GATEWAY; });
}

bool is_ours_to_copy(const Address& address) {
    return (address.fixed.ifa_flags & IFA_F_PERMANENT) != 0 && address.fixed.ifa_scope != RT_SCOPE_LINK;
}

tc_ratespec rate_of(const Bandwidth& bandwidth) {
    tc_ratespec rate{};
    constexpr std::uint64_t kMost = 0xffffffff; // TCA_TBF_RATE64 says the rest
    rate.rate = static_cast<std::uint32_t>(std::min(bandwidth.bytes_per_second, kMost));
    rate.linklayer = TC_LINKLAYER_ETHERNET; // no table of transmission times: the kernel computes them
    return rate;
}

} // namespace

Cable::Cable(const BandwidthPlan& bandwidth, const IdsPlan& ids)
    : mtu_(mtu_for(bandwidth)), user_namespace_(make_user_namespace(ids)),
      net_namespace_(make_net_namespace(user_namespace_.get())),
      ours_(std::move(open_sockets_in(user_namespace_.get(), net_namespace_.get(), {&kNetlinkSocket, 1}).front())),
      sandboxs_(Fd()) {
    add_bridge(kNear);
    add_bridge(kFar);
    add_pair();
    if (bandwidth.out) {
        add_queue(kOut, bandwidth.out);
    }
    if (bandwidth.in) {
        add_queue(kIn, bandwidth.in);
    }
    attach(kOut, kNear);
    attach(kIn, kFar);
}

void Cable::add_bridge(const char* name) {
    NetlinkRequest request(RTM_NEWLINK, kCreate, link());
    request.add(IFLA_IFNAME, std::string_view(name));
    if (name == kFar) {
        request.add(IFLA_ADDRESS, kFarHardwareAddress);
    }
    request.nest(IFLA_LINKINFO, [](NetlinkRequest& info) { info.add(IFLA_INFO_KIND, std::string_view("bridge")); });
    check(ours_.ask(request), "make the bridge", name);
    const int index = find(ours_, name);
    give_no_ipv6_address(ours_, index);
    check(ours_.ask(NetlinkRequest(RTM_SETLINK, 0, link_going_up(index))), "bring up", name);
}

void Cable::add_pair() {
    const auto mtu = static_cast<std::uint32_t>(mtu_);
    NetlinkRequest request(RTM_NEWLINK, kCreate, link());
    request.add(IFLA_IFNAME, std::string_view(kOut)).add(IFLA_MTU, mtu);
    request.nest(IFLA_LINKINFO, [&](NetlinkRequest& info) {
        info.add(IFLA_INFO_KIND, std::string_view("veth"));
        info.nest(IFLA_INFO_DATA, [&](NetlinkRequest& data) {
            data.nest(VETH_INFO_PEER, link(),
                      [&](NetlinkRequest& peer) { peer.add(IFLA_IFNAME, std::string_view(kIn)).add(IFLA_MTU, mtu); });
        });
    });
    check(ours_.ask(request), "make the veth pair", kOut);
}

void Cable::add_queue(const char* device, const Bandwidth& bandwidth) {
    // A timer that comes late is made up for by what may go at once then: 20 ms worth, and at least two packets.
    const std::uint64_t burst =
        std::max(bandwidth.bytes_per_second / 50, static_cast<std::uint64_t>(2 * (mtu_ + ETH_HLEN)));
    // What waits: 100 ms worth, and at least a datagram of the largest size and what goes with it.
    const std::uint64_t queue = std::max(bandwidth.bytes_per_second / 10, std::uint64_t{128} * 1024);
    constexpr std::uint64_t kMost = 0x7fffffff;
    tc_tbf_qopt options{};
    options.rate = rate_of(bandwidth);
    options.limit = static_cast<std::uint32_t>(std::min(queue, kMost));
    const auto burst_bytes = static_cast<std::uint32_t>(std::min(burst, kMost));
    tcmsg message{};
    message.tcm_ifindex = find(ours_, device);
    message.tcm_parent = TC_H_ROOT;
    message.tcm_handle = TC_H_MAKE(1U << 16, 0U);
    NetlinkRequest request(RTM_NEWQDISC, kCreate, message);
    request.add(TCA_KIND, std::string_view("tbf"));
    request.nest(TCA_OPTIONS, [&](NetlinkRequest& tbf) {
        tbf.add(TCA_TBF_PARMS, options).add(TCA_TBF_BURST, burst_bytes);
        tbf.add(TCA_TBF_RATE64, bandwidth.bytes_per_second);
    });
    check(ours_.ask(request), "put a tbf queue on", device);
}

void Cable::attach(const char* device, const char* bridge) {
    const int index = find(ours_, device);
    give_no_ipv6_address(ours_, index);
    NetlinkRequest request(RTM_SETLINK, 0, link_going_up(index));
    request.add(IFLA_MASTER, find(ours_, bridge));
    check(ours_.ask(request), "attach to its bridge", device);
}

void Cable::lead_into(int user_namespace, int net_namespace) {
    sandboxs_ = Netlink(std::move(open_sockets_in(user_namespace, net_namespace, {&kNetlinkSocket, 1}).front()));
    const auto mtu = static_cast<std::uint32_t>(mtu_);
    NetlinkRequest request(RTM_NEWLINK, kCreate, link());
    request.add(IFLA_IFNAME, std::string_view(kCable)).add(IFLA_MTU, mtu);
    request.nest(IFLA_LINKINFO, [&](NetlinkRequest& info) {
        info.add(IFLA_INFO_KIND, std::string_view("veth"));
        info.nest(IFLA_INFO_DATA, [&](NetlinkRequest& data) {
            data.nest(VETH_INFO_PEER, link(), [&](NetlinkRequest& peer) {
                peer.add(IFLA_IFNAME, std::string_view(kSandboxInterface)).add(IFLA_MTU, mtu);
                peer.add(IFLA_NET_NS_FD, net_namespace);
            });
        });
    });
    check(ours_.ask(request), "make the veth pair", kCable);
    attach(kCable, kNear);
}

void Cable::plug_in(bool with_ports) {
    const int tap = find(ours_, kSandboxInterface);
    give_no_ipv6_address(ours_, tap);
    const std::vector<Address> addresses = addresses_of(ours_, tap);
    std::vector<Route> routes = routes_of(ours_, tap);
    std::ranges::stable_partition(routes, [](const Route& route) { return !has_gateway(route); });
    for (const Address& address : addresses) {
        // With an address here it is this namespace that would answer for the sandbox.
        check(ours_.ask(address.request(RTM_DELADDR, 0)), "take the address off", kSandboxInterface);
    }
    attach(kSandboxInterface, kFar);

    const int own = find(sandboxs_, kSandboxInterface);
    check(sandboxs_.ask(NetlinkRequest(RTM_SETLINK, 0, link_going_up(own))), "bring up", kSandboxInterface);
    for (Address address : addresses) {
        if (is_ours_to_copy(address)) {
            address.fixed.ifa_index = static_cast<std::uint32_t>(own);
            check(sandboxs_.ask(address.request(RTM_NEWADDR, kCreate)), "give an address to", kSandboxInterface);
        }
    }
    for (Route route : routes) {
        route.fixed.rtm_flags &= RTNH_F_ONLINK;
        NetlinkRequest request = route.request(RTM_NEWROUTE, kCreate);
        request.add(RTA_OIF, own);
        check(sandboxs_.ask(request), "give a route to", kSandboxInterface);
    }
    if (with_ports) {
        give_far_address(own);
    }
}

void Cable::give_far_address(int sandboxs_interface) {
    in_addr address{};
    ::inet_pton(AF_INET, kFarAddress, &address);
    ifaddrmsg own{};
    own.ifa_family = AF_INET;
    own.ifa_prefixlen = 24; // where the sandbox's address is
    own.ifa_index = static_cast<std::uint32_t>(find(ours_, kFar));
    NetlinkRequest request(RTM_NEWADDR, kCreate, own);
    request.add(IFA_LOCAL, address);
    check(ours_.ask(request), "give an address to", kFar);
    ndmsg neighbour{};
    neighbour.ndm_family = AF_INET;
    neighbour.ndm_ifindex = sandboxs_interface;
    neighbour.ndm_state = NUD_PERMANENT;
    NetlinkRequest entry(RTM_NEWNEIGH, NLM_F_CREATE | NLM_F_REPLACE, neighbour);
    entry.add(NDA_DST, address).add(NDA_LLADDR, kFarHardwareAddress);
    check(sandboxs_.ask(entry), "tell the sandbox who is", kFarAddress);
}

std::string find_bandwidth_obstacle(const IdsPlan& ids) {
    try {
        const Bandwidth some{.bytes_per_second = 1'000'000, .required = true, .origin = {}};
        const Cable cable({.in = some, .out = some}, ids);
        return "";
    } catch (const Error& error) {
        return error.summary();
    }
}

} // namespace sandbox::netns
