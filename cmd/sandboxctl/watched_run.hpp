// A run of `sandbox --explain`, and the report that it wrote for programs.
#pragma once

#include <string>
#include <vector>

#include <nlohmann/json.hpp>

namespace sandbox::ctl {

struct WatchedRun {
    int status = 0;        ///< as a shell has it
    nlohmann::json report; ///< discarded where the run had none to write: it has said why
};

/// Runs `sandbox OPTIONS... -- COMMAND...` under a profile, watched, and waits for it. The signals of the terminal are
/// CMD's meanwhile. \throws Error where it cannot be started.
[[nodiscard]] WatchedRun run_watched(const std::string& profile, bool is_permissive,
                                     const std::vector<std::string>& command);

} // namespace sandbox::ctl
