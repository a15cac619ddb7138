#include "netns/loopback.hpp"

#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <cstring>

#include "core/base/fd.hpp"

namespace sandbox::netns {

int raise_loopback() {
    // AF_UNIX serves as well as AF_INET for interface flags, and works on a kernel without IPv4.
    const Fd socket(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    if (!socket) {
        return -1;
    }
    ifreq request{};
    std::strcpy(request.ifr_name, "lo");
    if (::ioctl(socket.get(), SIOCGIFFLAGS, &request) < 0) {
        return -1;
    }
    request.ifr_flags = static_cast<short>(request.ifr_flags | IFF_UP);
    return ::ioctl(socket.get(), SIOCSIFFLAGS, &request);
}

int add_loopback_address(const char* address) {
    const Fd socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    if (!socket) {
        return -1;
    }
    ifreq request{};
    std::strcpy(request.ifr_name, "lo:1"); // without a label it would take the place of 127.0.0.1: netdevice(7)
    auto& wanted = reinterpret_cast<sockaddr_in&>(request.ifr_addr);
    wanted.sin_family = AF_INET;
    ::inet_pton(AF_INET, address, &wanted.sin_addr);
    return ::ioctl(socket.get(), SIOCSIFADDR, &request);
}

} // namespace sandbox::netns
