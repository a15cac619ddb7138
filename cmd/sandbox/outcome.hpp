// How a run ended.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "cmd/sandbox/stats.hpp"
#include "core/base/fd.hpp"
#include "core/refused_calls.hpp"
#include "netns/refusals.hpp"

namespace sandbox {

struct Outcome {
    int status = 0;           ///< what `sandbox` exits with
    int signal = 0;           ///< of CMD's end, 0 for none
    bool timed_out = false;   ///< --timeout ended it
    bool init_killed = false; ///< pid 1 was killed from outside
    /// The kernel killed the sandbox for want of memory: its own limit's, or the machine's.
    bool out_of_memory = false;
    RunUsage usage = {};
    std::string layer_end = {};   ///< how fuse-overlayfs ended while CMD ran; empty: it did not
    std::string network_end = {}; ///< how the network's helper ended while CMD ran; empty: it did not
    std::vector<netns::NetworkRefusal> network_refusals = {}; ///< what the network's list kept CMD from
    std::vector<RefusedCall> refused_calls = {};
    std::uint64_t uncounted_calls = 0;              ///< refused beside those
    bool explained = false;                         ///< --explain
    bool permissive = false;                        ///< nothing was refused: what is listed would have been
    std::map<ObservedPath, Sighting> observed = {}; ///< the files that CMD asked for then
    std::uint64_t unobserved = 0;                   ///< names of files beside those
    int listener_error = 0;                         ///< why refused calls were not seen; 0: they were
    /// The usual secrets of the host's home that CMD looked at in its private one, where they are hidden: "~/.ssh".
    std::vector<std::string> looked_at = {};
    Fd stage = {}; ///< root::Assembled's, with what the private places hold at the end; none: CMD did not start
    std::vector<std::string> warnings = {}; ///< what the caller was told before CMD started
};

/// In one word: "exit", "signal", "timeout", "oom" or "killed".
[[nodiscard]] constexpr const char* reason_word(const Outcome& outcome) {
    if (outcome.timed_out) {
        return "timeout";
    }
    if (outcome.out_of_memory) {
        return "oom";
    }
    if (outcome.init_killed) {
        return "killed";
    }
    return outcome.signal != 0 ? "signal" : "exit";
}

} // namespace sandbox
