// What only a process inside of a network namespace can open, for use from outside: setns(2), unix(7).
#pragma once

#include <span>
#include <string>
#include <vector>

#include "core/base/fd.hpp"

namespace sandbox::netns {

/// The words of socket(2).
struct SocketKind {
    int domain = 0;
    int type = 0;
    int protocol = 0;
};

/// Makes a network namespace that the user namespace owns. No process is in it: it lives as long as the descriptor, or
/// what is opened there. \throws Error
[[nodiscard]] Fd make_net_namespace(int user_namespace);

/// Opens sockets in a network namespace, one of each kind. They stay there whoever uses them. \throws Error
[[nodiscard]] std::vector<Fd> open_sockets_in(int user_namespace, int net_namespace, std::span<const SocketKind> kinds);

/// Writes a value below /proc/sys/net, of a network namespace. Where /proc/sys is read-only (in a container) the
/// kernel's own value stays. \throws Error where no process can be made for it.
void set_sysctl_in(int user_namespace, int net_namespace, const char* path, const std::string& value);

} // namespace sandbox::netns
