// The loopback interface of a new network namespace: netdevice(7).
#pragma once

namespace sandbox::netns {

/// Sets `lo` up; the kernel gives it 127.0.0.1 and ::1 by itself. Needs CAP_NET_ADMIN over the network namespace.
/// Plain code, for between clone and exec.
/// \return 0, or -1 and errno.
[[nodiscard]] int raise_loopback();

/// Gives `lo`, which is up, one more address of 127.0.0.0/8. All of them lead there anyway; a program that looks
/// through its interfaces for one finds it only so. Plain code too. \return 0, or -1 and errno.
[[nodiscard]] int add_loopback_address(const char* address);

} // namespace sandbox::netns
