// What the record of a run and detached sandboxes stand on; a sandbox runs without.
#pragma once

#include <vector>

#include "cmd/common/checks.hpp"
#include "core/plan/host.hpp"

namespace sandbox::ctl {

/// What is missing is a warning.
[[nodiscard]] std::vector<Check> run_record_checks(const Host& host);

} // namespace sandbox::ctl
