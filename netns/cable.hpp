// What goes in and out of a sandbox held to its rates by the kernel, where CMD cannot reach: a network namespace
// between the backend and the sandbox. tc-tbf(8), veth(4), user_namespaces(7).
//
//     sandbox's namespace |             ours             | slirp4netns or pasta
//                  tap0 --|-- cable [near] out == in [far] tap0
//
// [near] and [far] are bridges, out == in is a veth pair with a tbf queue on each device: what the sandbox sends leaves
// through `out`, what it gets through `in`. Published ports are connected to from [far], so they are held too.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "core/base/error.hpp"
#include "core/base/fd.hpp"
#include "core/plan/plan.hpp"
#include "netns/netlink.hpp"

namespace sandbox::netns {

/// Where in that network a connection to the sandbox comes from.
constexpr const char* kFarAddress = "10.0.2.1";

using HardwareAddress = std::array<std::uint8_t, 6>;

/// What helps where a part is missing.
constexpr const char* kBandwidthFix = "sudo modprobe -a veth bridge sch_tbf, or a kernel that has them (CONFIG_VETH, "
                                      "CONFIG_BRIDGE, CONFIG_NET_SCH_TBF)";

/// Owned by Network, for a run with a limit.
class Cable {
public:
    /// Makes the namespace with both queues. A user namespace of its own owns it, with the ids of the sandbox's: CMD
    /// may have every capability in the sandbox's, and has none here. \throws Error, also where the kernel lacks a
    /// part.
    Cable(const BandwidthPlan& bandwidth, const IdsPlan& ids);

    /// Where a backend makes its tap.
    [[nodiscard]] int user_namespace() const { return user_namespace_.get(); }
    [[nodiscard]] int net_namespace() const { return net_namespace_.get(); }

    /// Makes the sandbox's interface, which has no address yet and is down. Before: the sandbox's maps are written.
    /// \throws Error
    void lead_into(int user_namespace, int net_namespace);

    /// Puts the backend's tap into the far bridge, and gives the sandbox's interface the addresses and routes that the
    /// backend gave to its tap. Before: the tap is up. After: so is the sandbox's interface.
    /// \param with_ports the sandbox is connected to from here: kFarAddress. \throws Error
    void plug_in(bool with_ports);

private:
    void add_bridge(const char* name);
    void add_pair();
    void add_queue(const char* device, const Bandwidth& bandwidth);
    void give_far_address(const HardwareAddress& sandboxs);
    void attach(const char* device, const char* bridge);

    Bandwidth in_;
    Bandwidth out_;
    int mtu_;
    Fd user_namespace_;
    Fd net_namespace_;
    Netlink ours_;
    Netlink sandboxs_;
};

/// What failed and the kernel's word, as a cause of something else.
[[nodiscard]] std::string on_one_line(const Error& error);

/// Tries all that a limit needs of the kernel. \return why it cannot be held; empty: it can.
[[nodiscard]] std::string find_bandwidth_obstacle(const IdsPlan& ids);

} // namespace sandbox::netns
