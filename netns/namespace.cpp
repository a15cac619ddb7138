#include "netns/namespace.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstring>
#include <ctime>

#include "core/base/fd.hpp"
#include "core/control.hpp"
#include "core/plan/allow_plan.hpp"
#include "netns/loopback.hpp"

namespace sandbox::netns {

namespace {

/// Where /proc/sys is read-only (in a container) the kernel's own values stay: nothing that was asked for hangs on
/// them.
void set(const char* sysctl, const char* value) {
    const Fd file(::open(sysctl, O_WRONLY | O_CLOEXEC));
    if (file) {
        [[maybe_unused]] const ssize_t written = ::write(file.get(), value, std::strlen(value));
    }
}

/// connect(2) of a UDP socket sends nothing: it looks for a route and for an address to come from.
bool has_ipv6_route() {
    const Fd socket(::socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    sockaddr_in6 somewhere{};
    somewhere.sin6_family = AF_INET6;
    somewhere.sin6_port = htons(9);
    somewhere.sin6_addr.s6_addr[0] = 0x20; // 2000::1
    somewhere.sin6_addr.s6_addr[15] = 1;
    return ::connect(socket.get(), reinterpret_cast<const sockaddr*>(&somewhere), sizeof somewhere) == 0;
}

} // namespace

void offer_namespace(const NetworkPlan& plan, int control, const StepReporter& failure) {
    // A server that is published on a high port of the host listens on 80 inside, as in a container: ip(7).
    set("/proc/sys/net/ipv4/ip_unprivileged_port_start", "0");
    if (plan.ipv6) {
        // Nobody else is on this wire: no second is spent asking whether somebody has the address, none before asking
        // for the router.
        set("/proc/sys/net/ipv6/conf/default/accept_dad", "0");
        set("/proc/sys/net/ipv6/conf/default/router_solicitation_delay", "0");
    }
    if (plan.allow.wanted) {
        // dnsmasq takes questions over TCP at addresses of its interfaces only, and those that an answer over UDP has
        // no room for come so.
        failure.at(Step::prepare_network, add_loopback_address(kListResolver), kListResolver);
    }
    const Fd own(::open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC));
    failure.at(Step::prepare_network, own.get(), "/proc/self/ns/net");
    failure.at(Step::prepare_network, control::send_descriptor(control, ChildMessage::Kind::network, own.get()));
}

int wait_for_interface(const NetworkPlan& plan, int control) {
    if (control::wait_for_ready(control) < 0) {
        return -1;
    }
    constexpr int kMostTries = 1000;
    constexpr timespec kMillisecond{.tv_sec = 0, .tv_nsec = 1'000'000};
    for (int i = 0; plan.ipv6 && !has_ipv6_route() && i < kMostTries; ++i) {
        ::nanosleep(&kMillisecond, nullptr);
    }
    return 0;
}

} // namespace sandbox::netns
