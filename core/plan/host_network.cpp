#include "core/plan/host_network.hpp"

#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <sstream>
#include <string>

#include "core/base/file.hpp"
#include "core/plan/host_paths.hpp"

namespace sandbox::host {

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

NetworkFacts look_at_network() {
    NetworkFacts facts;
    facts.slirp4netns = find_helper("slirp4netns");
    facts.pasta = find_helper("pasta");
    facts.tun_error = ::access("/dev/net/tun", R_OK | W_OK) == 0 ? 0 : errno;
    facts.has_ipv6 = lists_global_address(read_small_file("/proc/net/if_inet6"));
    const std::string first = read_small_file("/proc/sys/net/ipv4/ip_unprivileged_port_start");
    std::from_chars(first.data(), first.data() + first.size(), facts.first_unprivileged_port);
    facts.resolv_conf = read_small_file("/etc/resolv.conf");
    return facts;
}

} // namespace sandbox::host
