#include "core/plan/host_network.hpp"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <linux/capability.h>
#include <netinet/in.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <memory>
#include <sstream>
#include <string>

#include "core/base/file.hpp"
#include "core/plan/host_paths.hpp"

namespace sandbox::host {

namespace {

/// getifaddrs(3); empty where the kernel does not tell.
std::vector<std::string> own_addresses() {
    ifaddrs* list = nullptr;
    if (::getifaddrs(&list) < 0) {
        return {};
    }
    const std::unique_ptr<ifaddrs, void (*)(ifaddrs*)> owner(list, ::freeifaddrs);
    std::vector<std::string> addresses;
    for (const ifaddrs* entry = list; entry != nullptr; entry = entry->ifa_next) {
        const int family = entry->ifa_addr == nullptr ? AF_UNSPEC : entry->ifa_addr->sa_family;
        char text[INET6_ADDRSTRLEN] = {};
        if (family == AF_INET) {
            ::inet_ntop(AF_INET, &reinterpret_cast<const sockaddr_in*>(entry->ifa_addr)->sin_addr, text, sizeof text);
        } else if (family == AF_INET6) {
            ::inet_ntop(AF_INET6, &reinterpret_cast<const sockaddr_in6*>(entry->ifa_addr)->sin6_addr, text,
                        sizeof text);
        }
        if (text[0] != '\0') {
            addresses.emplace_back(text);
        }
    }
    return addresses;
}

/// Who may open ports that are for root: capabilities(7).
bool may_bind_all_ports() {
    __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
    __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = {};
    return ::syscall(SYS_capget, &header, data) == 0 && (data[0].effective & (1U << CAP_NET_BIND_SERVICE)) != 0;
}

} // namespace

bool lists_global_address(std::string_view if_inet6) {
    // "20010db8000000000000000000000001 02 40 00 80 eth0": address, index, prefix, scope, flags, name.
    std::istringstream lines{std::string(if_inet6)};
    std::string address;
    std::string index;
    std::string prefix;
    std::string scope;
    std::string flags;
    std::string name;
    while (lines >> address >> index >> prefix >> scope >> flags >> name) {
        if (scope == "00" && name != "lo") {
            return true;
        }
    }
    return false;
}

bool lists_default_route(std::string_view ipv6_route) {
    constexpr unsigned long kReject = 0x0200; // RTF_REJECT of linux/route.h
    const std::string everywhere = std::string(32, '0') + " 00 ";
    std::istringstream lines{std::string(ipv6_route)};
    for (std::string line; std::getline(lines, line);) {
        // The last two of ten fields are the flags and the interface.
        const std::size_t name = line.find_last_of(' ') + 1;
        const std::size_t flags = line.find_last_not_of(' ', name - 1) - 7;
        if (line.starts_with(everywhere) && line.substr(name) != "lo" && flags < line.size() &&
            (std::strtoul(line.substr(flags, 8).c_str(), nullptr, 16) & kReject) == 0) {
            return true;
        }
    }
    return false;
}

NetworkFacts look_at_network() {
    NetworkFacts facts;
    facts.slirp4netns = find_helper("slirp4netns");
    facts.pasta = find_helper("pasta");
    facts.nft = find_helper("nft");
    facts.dnsmasq = find_helper("dnsmasq");
    facts.own_addresses = own_addresses();
    facts.tun_error = ::access("/dev/net/tun", R_OK | W_OK) == 0 ? 0 : errno;
    facts.has_ipv6 = lists_global_address(read_small_file("/proc/net/if_inet6")) &&
                     lists_default_route(read_small_file("/proc/net/ipv6_route"));
    const std::string first = read_small_file("/proc/sys/net/ipv4/ip_unprivileged_port_start");
    std::from_chars(first.data(), first.data() + first.size(), facts.first_unprivileged_port);
    if (may_bind_all_ports()) {
        facts.first_unprivileged_port = 0;
    }
    facts.resolv_conf = read_small_file("/etc/resolv.conf");
    facts.hosts = read_small_file("/etc/hosts");
    return facts;
}

} // namespace sandbox::host
