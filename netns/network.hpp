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
#include "netns/listeners.hpp"

namespace sandbox::netns {

/// Owned by the supervisor. Where the plan wants no interface it does nothing, and is ready. The helper ends with the
/// object, and with the process that made it, however that ends.
class Network {
public:
    /// `plan` must outlive it.
    /// Opens the published ports of the host: they are taken before anything of a sandbox exists.
    /// \throws Error where one cannot be had.
    explicit Network(const NetworkPlan& plan);

    /// Starts the helper in the child's network namespace and the user namespace that owns it. Before: the maps are
    /// written. \throws Error where it cannot be executed.
    void attach(Fd net_namespace);

    /// The interface is up, and held to its list: CMD may start.
    [[nodiscard]] bool is_ready() const { return interface_is_up_ && list_.is_ready(); }

    /// How many descriptors it wants watched.
    static constexpr std::size_t kOwnWatched = 4;
    static constexpr std::size_t kWatched = kOwnWatched + AllowList::kWatched;
    void watch(pollfd* watched) const;

    /// Acts on what poll(2) found. \return true once: when it has become ready.
    /// \throws Error when the helper ended before that, or the list cannot be held.
    [[nodiscard]] bool serve(const pollfd* watched);

    /// CMD has ended: the helper may go, while the kernel takes the sandbox apart.
    void stop();

    /// Lines for people about what the list refused; none where nothing was. Nothing of the sandbox is left by then.
    [[nodiscard]] std::vector<std::string> refusals() { return list_.report(); }

    /// The published ports, with those that the kernel chose.
    [[nodiscard]] const std::vector<Listener>& listeners() const { return listeners_; }

    /// How a process of ours ended that CMD needed, of its own or by somebody else's hand; empty while all run.
    [[nodiscard]] const std::string& end() const { return end_.empty() ? list_.end() : end_; }

private:
    void serve_helper_end();
    void serve_forwarder_end();

    const NetworkPlan& plan_;
    bool interface_is_up_;
    bool stream_open_ = true;
    Fd ready_pipe_;
    Fd lifeline_; ///< nobody writes to it: its closing tells the helper that we are gone
    std::optional<Companion> helper_;
    std::vector<Listener> listeners_;
    ChildProcess forwarder_;
    AllowList list_;
    std::string end_;
};

} // namespace sandbox::netns
