// The links of a private home that tell whether CMD looked at one of the usual secrets.
#pragma once

#include "core/plan/filesystem_context.hpp"

namespace sandbox {

/// Empty where the home is not a private directory of ours. A name that is granted, or in which something is, has no
/// link; what the host has is not asked. Before: the tree shows everything that the root will.
[[nodiscard]] HiddenNames plan_hidden_names(const FilesystemContext& context);

} // namespace sandbox
