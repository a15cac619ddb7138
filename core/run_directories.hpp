// The directories of single runs: locked while the run lives, so that what a killed one has left can be told.
#pragma once

#include <string>
#include <vector>

#include "core/base/fd.hpp"

namespace sandbox {

/// A directory, and the flock(2) that says that somebody needs it: in whatever processes the descriptor is open.
struct RunDirectory {
    std::string name; ///< in the directory of runs
    Fd lock;
};

/// Makes a new one below `runs`, mode 0700. \throws Error
[[nodiscard]] RunDirectory make_run_directory(const std::string& runs);

/// Those that nobody needs, locked for us now.
[[nodiscard]] std::vector<RunDirectory> find_left_directories(const Fd& runs);

} // namespace sandbox
