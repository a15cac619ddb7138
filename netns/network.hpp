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

    /// The interface is up: CMD may start.
    [[nodiscard]] bool is_ready() const { return ready_; }

    /// How many descriptors it wants watched.
    static constexpr std::size_t kWatched = 3;
    void watch(pollfd* watched) const;

    /// Acts on what poll(2) found. \return true once: when the interface has come up.
    /// \throws Error when the helper ended before that.
    [[nodiscard]] bool serve(const pollfd* watched);

    /// CMD has ended: the helper may go, while the kernel takes the sandbox apart.
    void stop() const;

    /// The published ports, with those that the kernel chose.
    [[nodiscard]] const std::vector<Listener>& listeners() const { return listeners_; }

    /// How the helper ended of its own or by somebody else's hand; empty while it runs.
    [[nodiscard]] const std::string& end() const { return end_; }

private:
    void serve_end();

    const NetworkPlan& plan_;
    bool ready_;
    bool stream_open_ = true;
    Fd ready_pipe_;
    Fd lifeline_; ///< nobody writes to it: its closing tells the helper that we are gone
    std::optional<Companion> helper_;
    std::vector<Listener> listeners_;
    ChildProcess forwarder_;
    std::string end_;
};

} // namespace sandbox::netns
