// What has gone through a network namespace's interfaces: /proc/net/dev, proc_pid_net(5).
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "core/base/fd.hpp"

namespace sandbox::netns {

struct Counters {
    std::uint64_t received_bytes = 0;
    std::uint64_t received_packets = 0;
    std::uint64_t sent_bytes = 0;
    std::uint64_t sent_packets = 0;

    bool operator==(const Counters&) const = default;
};

/// Of all interfaces but the loopback. \param table the text of /proc/net/dev. \return nothing where it is none.
[[nodiscard]] std::optional<Counters> read_counters(std::string_view table);

/// The same of a network namespace that this process is not in, by the user namespace that owns it.
/// \return nothing where it cannot be looked at.
[[nodiscard]] std::optional<Counters> count_in(const Fd& user_namespace, const Fd& net_namespace);

} // namespace sandbox::netns
