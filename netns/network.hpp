// The network of a sandbox, from outside: the helper that moves its packets, for as long as the sandbox lives.
#pragma once

#include <poll.h>

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "core/base/fd.hpp"
#include "core/companion.hpp"
#include "core/plan/plan.hpp"
#include "netns/allow_list.hpp"
#include "netns/cable.hpp"
#include "netns/listeners.hpp"

namespace sandbox::netns {

/// Owned by the supervisor. Where the plan wants no interface it does nothing, and is ready. The helper ends with the
/// object, and with the process that made it, however that ends.
class Network {
public:
    /// `plan` must outlive it.
    /// Opens the published ports of the host: they are taken before anything of a sandbox exists. Where the network is
    /// limited it makes what holds the limit, with the ids of the sandbox's.
    /// \throws Error where one cannot be had.
    Network(const NetworkPlan& plan, const IdsPlan& ids);

    /// One line about a limit that this kernel cannot hold, and that the plan does without; empty: there is none.
    [[nodiscard]] const std::string& notice() const { return notice_; }

    /// Starts the helper in the child's network namespace and the user namespace that owns it. Before: the maps are
    /// written. \throws Error where it cannot be executed.
    void attach(Fd net_namespace);

    /// The interface is up, and held to its list: CMD may start.
    [[nodiscard]] bool is_ready() const { return interface_is_up_ && list_.is_ready(); }

    /// How many descriptors it wants watched.
    static constexpr std::size_t kOwnWatched = 5;
    static constexpr std::size_t kWatched = kOwnWatched + AllowList::kWatched;
    void watch(pollfd* watched) const;

    /// Acts on what poll(2) found. \return true once: when it has become ready.
    /// \throws Error when the helper ended before that, or the list cannot be held.
    [[nodiscard]] bool serve(const pollfd* watched);

    /// CMD has ended: the helper may go, while the kernel takes the sandbox apart.
    void stop();

    /// Lines for people about what the list refused; none where nothing was. Nothing of the sandbox is left by then.
    [[nodiscard]] std::vector<NetworkRefusal> refusals() { return list_.refusals(); }

    /// The published ports, with those that the kernel chose.
    [[nodiscard]] const std::vector<Listener>& listeners() const { return listeners_; }

    /// How a process of ours ended that CMD needed, of its own or by somebody else's hand; empty while all run.
    [[nodiscard]] const std::string& end() const { return end_.empty() ? list_.end() : end_; }

private:
    void make_cable(const IdsPlan& ids);
    void start_forwarders(int user_namespace, int net_namespace);
    void serve_helper_end();
    void serve_forwarder_end(ChildProcess& forwarder);

    const NetworkPlan& plan_;
    bool interface_is_up_;
    bool stream_open_ = true;
    Fd ready_pipe_;
    Fd lifeline_; ///< nobody writes to it: its closing tells the helper that we are gone
    std::vector<Listener> listeners_;
    std::optional<Cable> cable_; ///< there is a limit; the helper and the first of the forwarders stand in it
    std::optional<Companion> helper_;
    ChildProcess forwarder_;
    ChildProcess second_forwarder_; ///< the sandbox's side of two
    std::string notice_;
    AllowList list_;
    std::string end_;
};

} // namespace sandbox::netns
