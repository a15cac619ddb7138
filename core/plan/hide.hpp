// filesystem.hide: what the profile takes away again.
#pragma once

#include "core/plan/filesystem_context.hpp"

namespace sandbox {

/// Covers what the profile hides, wherever it can be seen. A name that matches nothing is said.
/// \throws Error for "/", and for what lies below /proc.
void put_covers(FilesystemContext& context);

} // namespace sandbox
