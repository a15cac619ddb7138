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

constexpr HardwareAddress kFarHardwareAddress = {0x02, 0, 0, 0, 0, 0x01}; // locally administered

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

struct Interface {
    int index = 0;
    HardwareAddress hardware_address{};
};

Interface look_at(Netlink& netlink, const char* name) {
    Interface found;
    NetlinkRequest request(RTM_GETLINK, 0, link());
    request.add(IFLA_IFNAME, std::string_view(name));
    const int error_number = netlink.ask(request, [&](const nlmsghdr& message) {
        found.index = static_cast<const ifinfomsg*>(NLMSG_DATA(&message))->ifi_index;
        for (const NetlinkAttribute& attribute : attributes(message, sizeof(ifinfomsg))) {
            if (attribute.type == IFLA_ADDRESS && attribute.value.size() == found.hardware_address.size()) {
                std::memcpy(found.hardware_address.data(), attribute.value.data(), attribute.value.size());
            }
        }
    });
    check(error_number, "find the interface", name);
    return found;
}

int find(Netlink& netlink, const char* name) {
    return look_at(netlink, name).index;
}

void set_hardware_address(Netlink& netlink, int index, const HardwareAddress& address) {
    NetlinkRequest request(RTM_SETLINK, 0, link(index));
    request.add(IFLA_ADDRESS, address);
    check(netlink.ask(request), "set the hardware address of", kSandboxInterface);
}

/// Says who has an address, so that nobody asks: pasta answers for every one but the sandbox's own, and takes who asks
/// for the sandbox.
void set_neighbour(Netlink& netlink, int index, const char* address, const HardwareAddress& hardware_address) {
    in_addr ipv4{};
    ::inet_pton(AF_INET, address, &ipv4);
    ndmsg neighbour{};
    neighbour.ndm_family = AF_INET;
    neighbour.ndm_ifindex = index;
    neighbour.ndm_state = NUD_PERMANENT;
    NetlinkRequest request(RTM_NEWNEIGH, NLM_F_CREATE | NLM_F_REPLACE, neighbour);
    request.add(NDA_DST, ipv4).add(NDA_LLADDR, hardware_address);
    check(netlink.ask(request), "say who has the address", address);
}

/// The bridge takes what is for one of its ports for its own.
void leave_to_the_sandbox(Netlink& netlink, int port, const HardwareAddress& hardware_address) {
    ndmsg entry{};
    entry.ndm_family = AF_BRIDGE;
    entry.ndm_ifindex = port;
    entry.ndm_flags = NTF_MASTER;
    NetlinkRequest request(RTM_DELNEIGH, 0, entry);
    request.add(NDA_LLADDR, hardware_address);
    check(netlink.ask(request), "leave the hardware address to the sandbox on", kFar);
}

/// What goes there from the bridge takes this port, and no other where the bridge has forgotten.
void set_port(Netlink& netlink, int port, const HardwareAddress& hardware_address) {
    ndmsg entry{};
    entry.ndm_family = AF_BRIDGE;
    entry.ndm_ifindex = port;
    entry.ndm_state = NUD_NOARP;
    entry.ndm_flags = NTF_MASTER;
    NetlinkRequest request(RTM_NEWNEIGH, NLM_F_CREATE | NLM_F_REPLACE, entry);
    request.add(NDA_LLADDR, hardware_address);
    check(netlink.ask(request), "say where the sandbox is on", kFar);
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

/// pasta sends as much as a TCP window allows, knows no congestion, and sends all of it again when a packet is lost: a
/// queue that is too short for it lets next to nothing through. So the sandbox's windows are small (the other end is
/// on this machine), and the queue holds many. What the sandbox sends is bounded too: in a long queue the kernel takes
/// what only waits for lost, and sends it twice.
constexpr std::uint64_t kWindows = 32;

std::uint64_t window_for(const Bandwidth& bandwidth) {
    return std::clamp(bandwidth.bytes_per_second / 50, std::uint64_t{64} * 1024, std::uint64_t{1024} * 1024);
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
    : in_(bandwidth.in), out_(bandwidth.out), mtu_(mtu_for(bandwidth)), user_namespace_(make_user_namespace(ids)),
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
    request.nest(IFLA_LINKINFO, [](NetlinkRequest& info) {
        info.add(IFLA_INFO_KIND, std::string_view("bridge"));
        info.nest(IFLA_INFO_DATA, [](NetlinkRequest& data) {
            // It would join groups, and say so: pasta takes every sender that it hears of for the sandbox.
            constexpr std::uint8_t kOff = 0;
            data.add(IFLA_BR_MCAST_SNOOPING, kOff);
        });
    });
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
    const std::uint64_t queue = kWindows * window_for(bandwidth);
    constexpr std::uint64_t kMost = 0x7fffffff;
    tc_tbf_qopt options{};
    options.rate = rate_of(bandwidth);
    options.limit = static_cast<std::uint32_t>(queue);
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
    // Of a receive and a send buffer: tcp(7).
    if (in_) {
        set_sysctl_in(user_namespace, net_namespace, "/proc/sys/net/ipv4/tcp_rmem",
                      fmt::format("4096 {0} {0}", window_for(in_)));
    }
    if (out_) {
        set_sysctl_in(user_namespace, net_namespace, "/proc/sys/net/ipv4/tcp_wmem",
                      fmt::format("4096 16384 {}", window_for(out_)));
    }
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
    const auto [tap, hardware_address] = look_at(ours_, kSandboxInterface);
    give_no_ipv6_address(ours_, tap);
    const std::vector<Address> addresses = addresses_of(ours_, tap);
    std::vector<Route> routes = routes_of(ours_, tap);
    std::ranges::stable_partition(routes, [](const Route& route) { return !has_gateway(route); });
    for (const Address& address : addresses) {
        // With an address here it is this namespace that would answer for the sandbox.
        const int error_number = ours_.ask(address.request(RTM_DELADDR, 0));
        check(error_number == EADDRNOTAVAIL ? 0 : error_number, "take the address off", kSandboxInterface);
    }
    attach(kSandboxInterface, kFar);
    // What pasta sends is for the address that its tap has; and this namespace may still have a word to say there about
    // its groups. With one address for both, pasta knows no other sender than the sandbox.
    leave_to_the_sandbox(ours_, tap, hardware_address);

    const int own = find(sandboxs_, kSandboxInterface);
    set_hardware_address(sandboxs_, own, hardware_address);
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
        give_far_address(hardware_address);
        set_neighbour(sandboxs_, own, kFarAddress, kFarHardwareAddress);
    }
}

void Cable::give_far_address(const HardwareAddress& sandboxs) {
    const int far = find(ours_, kFar);
    in_addr address{};
    ::inet_pton(AF_INET, kFarAddress, &address);
    ifaddrmsg own{};
    own.ifa_family = AF_INET;
    own.ifa_prefixlen = 24; // where the sandbox's address is
    own.ifa_index = static_cast<std::uint32_t>(far);
    NetlinkRequest request(RTM_NEWADDR, kCreate, own);
    request.add(IFA_LOCAL, address);
    check(ours_.ask(request), "give an address to", kFar);
    set_neighbour(ours_, far, kSandboxAddress, sandboxs);
    set_port(ours_, find(ours_, kIn), sandboxs);
}

std::string on_one_line(const Error& error) {
    return error.error_number() == 0 ? error.summary()
                                     : fmt::format("{}: {}", error.summary(), kernel_word(error.error_number()));
}

std::string find_bandwidth_obstacle(const IdsPlan& ids) {
    try {
        const Bandwidth some{.bytes_per_second = 1'000'000, .required = true, .origin = {}};
        const Cable cable({.in = some, .out = some}, ids);
        return "";
    } catch (const Error& error) {
        return on_one_line(error);
    }
}

} // namespace sandbox::netns
