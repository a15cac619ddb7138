// CMD's argument list, where its file may be, and its terminal: execve(2).
#pragma once

#include <vector>

#include "core/plan/plan.hpp"
#include "core/plan/root_choice.hpp"

namespace sandbox {

/// The files that a command of that name can be, in the order of trying.
/// \throws Error (127) for an empty name, and where PATH names no directory.
[[nodiscard]] std::vector<std::string>
find_candidates(const std::string& name, const std::vector<EnvironmentEntry>& environment, const std::string& workdir);

/// An image's entrypoint stands before the words of the command, which are the image's own where none are given.
/// \throws Error (127) for a command without a name.
[[nodiscard]] ProcessPlan plan_process(const Profile::Process& process, const Command& command, const Host& host,
                                       const RootChoice& root, const std::string& workdir,
                                       const std::vector<EnvironmentEntry>& environment);

} // namespace sandbox
