// CMD's argument list, where its file may be, and its terminal: execve(2).
#pragma once

#include <vector>

#include "core/plan/plan.hpp"

namespace sandbox {

/// \throws Error (127) for a command without a name.
[[nodiscard]] ProcessPlan plan_process(const Profile::Process& process, const Command& command, const Host& host,
                                       const std::string& workdir, const std::vector<EnvironmentEntry>& environment);

} // namespace sandbox
