// How a run behaves towards its caller: what is no part of the sandbox itself, and so no part of a profile.
#pragma once

#include <cstdint>
#include <optional>

#include "cmd/common/trace.hpp"

namespace sandbox {

/// --stats: how what the sandbox used is told at its end.
enum class StatsFormat { none, text, json };

struct RunOptions {
    StatsFormat stats = StatsFormat::none;
    bool quiet = false;                    ///< no notes; errors are always told
    bool verbose = false;                  ///< the child's steps are timed too
    std::optional<std::uint64_t> log_size; ///< of a detached run: the most that its log takes, in bytes
    Trace& trace;                          ///< the steps so far; printed at the end of a verbose run
};

} // namespace sandbox
