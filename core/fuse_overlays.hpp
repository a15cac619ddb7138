// fuse-overlayfs(1): the second driver of private layers, a process beside the sandbox for each.
#pragma once

#include <poll.h>

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/base/fd.hpp"
#include "core/companion.hpp"
#include "core/overlay.hpp"
#include "core/plan/plan.hpp"

namespace sandbox {

/// Owned by the supervisor. The child mounts a FUSE file system of its own and hands us the descriptor that answers for
/// it; the program gets that descriptor and no right to mount anything. It ends with this object, and with the process
/// that made it.
class FuseOverlays {
public:
    static constexpr std::size_t kMost = 8; ///< of one run

    /// Makes the processes, which wait: where `wanted` is false, none. \throws Error
    FuseOverlays(const OverlaysPlan& plan, std::span<const overlay::Layer> layers, bool wanted);

    /// The processes, for the sandbox's cgroup.
    [[nodiscard]] std::vector<pid_t> pids() const;

    /// Starts the next of them, on `fuse`: the child sends one for each overlay, in the order of OverlaysPlan::list.
    /// \param becomes_root uid 0 is mapped in the user namespace. \throws Error where it cannot be executed.
    void attach(const Fd& fuse, const Fd& user_namespace, bool becomes_root);

    static constexpr std::size_t kWatched = 2 * kMost;
    void watch(pollfd* watched) const;
    /// Acts on what poll(2) found.
    void serve(const pollfd* watched);

    /// How one of them ended while it was needed; empty while all run.
    [[nodiscard]] const std::string& end() const { return end_; }
    /// Whether that was by a signal: the end of the sandbox makes them leave by themselves.
    [[nodiscard]] bool was_killed() const { return was_killed_; }

private:
    struct Served {
        std::optional<Companion> process;
        bool stream_open = true;
    };

    std::string program_;
    std::vector<Served> served_;
    std::size_t attached_ = 0;
    std::string end_;
    bool was_killed_ = false;
};

} // namespace sandbox
