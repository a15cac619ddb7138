// filesystem.masked: what of /proc and /sys is covered or read-only, as the container engines do it.
#pragma once

#include <vector>

#include "core/plan/filesystem_context.hpp"

namespace sandbox {

/// The entries, to be done after all others. /sys is masked where it is shown.
/// \throws Error for a word that is neither "@docker" nor a path below /proc or /sys.
[[nodiscard]] std::vector<RootEntry> plan_masks(FilesystemContext& context);

} // namespace sandbox
