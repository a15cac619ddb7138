// The loopback interface of a new network namespace: netdevice(7).
#pragma once

namespace sandbox::netns {

/// Sets `lo` up; the kernel gives it 127.0.0.1 and ::1 by itself. Needs CAP_NET_ADMIN over the network namespace.
/// Plain code, for between clone and exec.
/// \return 0, or -1 and errno.
[[nodiscard]] int raise_loopback();

} // namespace sandbox::netns
