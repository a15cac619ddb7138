#include "netns/listeners.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <cerrno>
#include <utility>

#include <fmt/format.h>

#include "core/base/error.hpp"
#include "core/plan/network_plan.hpp"
#include "netns/inside.hpp"

namespace sandbox::netns {

namespace {

struct SocketAddress {
    sockaddr_storage storage{};
    socklen_t length = 0;

    [[nodiscard]] sockaddr* get() { return reinterpret_cast<sockaddr*>(&storage); }
};

SocketAddress socket_address(const PublishedPort& port) {
    SocketAddress address;
    if (port.is_ipv6) {
        auto& ipv6 = reinterpret_cast<sockaddr_in6&>(address.storage);
        ipv6.sin6_family = AF_INET6;
        ipv6.sin6_port = htons(port.host_port);
        ::inet_pton(AF_INET6, port.address.c_str(), &ipv6.sin6_addr);
        address.length = sizeof ipv6;
    } else {
        auto& ipv4 = reinterpret_cast<sockaddr_in&>(address.storage);
        ipv4.sin_family = AF_INET;
        ipv4.sin_port = htons(port.host_port);
        ::inet_pton(AF_INET, port.address.c_str(), &ipv4.sin_addr);
        address.length = sizeof ipv4;
    }
    return address;
}

std::uint16_t bound_port(int socket) {
    SocketAddress address;
    address.length = sizeof address.storage;
    ::getsockname(socket, address.get(), &address.length);
    // The port stands at the same place in both.
    return ntohs(reinterpret_cast<const sockaddr_in&>(address.storage).sin_port);
}

Error cannot_listen(const PublishedPort& port, int error_number) {
    Error error(
        fmt::format("{}: cannot listen on port {} of {}", written_at(port.origin), port.host_port, port.address));
    error.kernel(error_number);
    if (error_number == EADDRINUSE) {
        error.cause("another program of the host has it");
        error.fix("publish on another port; 0 takes a free one and says which");
    } else if (error_number == EADDRNOTAVAIL) {
        error.cause("no interface of this machine has the address");
        error.fix("127.0.0.1 for this machine alone, 0.0.0.0 for everybody who reaches it");
    } else if (error_number == EMFILE) {
        error.cause("each published port takes a descriptor, and ulimit -n has no room for so many");
        error.fix("a shorter range, or ulimit -n with a higher number before");
    }
    return error;
}

Fd open_socket(const PublishedPort& port) {
    const int type = (port.is_udp ? SOCK_DGRAM : SOCK_STREAM) | SOCK_CLOEXEC | SOCK_NONBLOCK;
    Fd socket(::socket(port.is_ipv6 ? AF_INET6 : AF_INET, type, 0));
    SocketAddress address = socket_address(port);
    const int on = 1;
    const bool is_set = socket &&
                        (port.is_udp || ::setsockopt(socket.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0) &&
                        (!port.is_ipv6 || ::setsockopt(socket.get(), IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on) == 0);
    if (!is_set || ::bind(socket.get(), address.get(), address.length) < 0 ||
        (!port.is_udp && ::listen(socket.get(), SOMAXCONN) < 0)) {
        throw cannot_listen(port, errno);
    }
    return socket;
}

} // namespace

std::vector<Listener> open_listeners(const std::vector<PublishedPort>& ports) {
    std::vector<Listener> listeners;
    for (const PublishedPort& port : ports) {
        Listener listener{open_socket(port), port};
        listener.port.host_port = bound_port(listener.socket.get());
        listeners.push_back(std::move(listener));
    }
    return listeners;
}

Relayed open_relayed(const std::vector<Listener>& listeners, int user_namespace, int net_namespace) {
    std::vector<SocketKind> kinds;
    for (const Listener& listener : listeners) {
        kinds.push_back({AF_INET, (listener.port.is_udp ? SOCK_DGRAM : SOCK_STREAM) | SOCK_NONBLOCK, 0});
    }
    std::vector<Fd> sockets = open_sockets_in(user_namespace, net_namespace, kinds);
    Relayed relayed;
    for (std::size_t i = 0; i < listeners.size(); ++i) {
        const PublishedPort& port = listeners[i].port;
        PublishedPort inside = port;
        inside.address = kSandboxAddress;
        inside.is_ipv6 = false;
        inside.host_port = 0;
        SocketAddress address = socket_address(inside);
        const int on = 1;
        // The address is not there yet.
        if (::setsockopt(sockets[i].get(), IPPROTO_IP, IP_FREEBIND, &on, sizeof on) < 0 ||
            ::bind(sockets[i].get(), address.get(), address.length) < 0 ||
            (!port.is_udp && ::listen(sockets[i].get(), SOMAXCONN) < 0)) {
            throw Error(fmt::format("{}: cannot publish a port through the limited network", written_at(port.origin)))
                .kernel(errno);
        }
        PublishedPort outside = port;
        outside.sandbox_port = bound_port(sockets[i].get());
        relayed.inside.push_back({std::move(sockets[i]), std::move(inside)});
        relayed.outside.push_back({Fd(::fcntl(listeners[i].socket.get(), F_DUPFD_CLOEXEC, 0)), std::move(outside)});
        if (!relayed.outside.back().socket) {
            throw cannot_listen(port, errno);
        }
    }
    return relayed;
}

} // namespace sandbox::netns
