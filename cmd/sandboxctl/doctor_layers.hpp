// What private layers and images stand on; a sandbox on the host's own root needs none of it.
#pragma once

#include <vector>

#include "cmd/common/checks.hpp"
#include "core/plan/host.hpp"

namespace sandbox::ctl {

/// Tries the kernel's overlay, and looks at fuse-overlayfs and the disk. What is missing is a warning.
[[nodiscard]] std::vector<Check> layer_checks(const Host& host);

} // namespace sandbox::ctl
