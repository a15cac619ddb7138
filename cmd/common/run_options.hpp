// How a run behaves towards its caller: what is no part of the sandbox itself, and so no part of a profile.
#pragma once

#include "cmd/common/trace.hpp"

namespace sandbox {

struct RunOptions {
    bool quiet = false;     ///< no notes; errors are always told
    Trace* trace = nullptr; ///< the steps so far, the caller's; null where nobody asked for a trace
};

} // namespace sandbox
