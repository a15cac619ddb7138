// What is taken away again: filesystem.hide, and the folders of ours and of the session that stay out of reach.
#pragma once

#include "core/plan/filesystem_context.hpp"

namespace sandbox {

/// Covers what the profile hides, wherever it can be seen. A name that matches nothing is said.
/// \throws Error for "/", and for what lies below /proc.
void put_covers(FilesystemContext& context);

/// Keeps CMD from our state, from the session's sockets and from the host's processes, and makes the profiles of its
/// next run read-only. \return the folders of ours that must exist before the run. \throws Error where that cannot be
/// had: the way to the profiles leads through a link that CMD could replace.
[[nodiscard]] std::vector<std::string> put_protections(FilesystemContext& context);

} // namespace sandbox
