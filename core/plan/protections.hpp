// What no profile can grant: our own directories, the session's sockets and the host's processes.
#pragma once

#include <string>
#include <vector>

#include "core/plan/filesystem_context.hpp"

namespace sandbox {

/// Keeps CMD from our state, from the session's sockets and from the host's processes, and makes the profiles of its
/// next run read-only.
/// \return the directories of ours that must exist before the run.
/// \throws Error where that cannot be had: the way to the profiles leads through a link that CMD could replace.
[[nodiscard]] std::vector<std::string> put_protections(FilesystemContext& context);

} // namespace sandbox
