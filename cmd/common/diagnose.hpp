// Why a step of the start failed, and what helps: looked for only after the failure.
#pragma once

#include <string_view>
#include <vector>

#include "cmd/common/machine.hpp"
#include "core/base/error.hpp"
#include "core/base/step.hpp"
#include "core/plan/host.hpp"
#include "core/plan/plan.hpp"

namespace sandbox {

/// The ids of the checks (checks.hpp) whose failure can make `step` fail.
[[nodiscard]] std::vector<std::string_view> suspect_checks(Step step);

/// Adds the causes that were found, each with its fix. For Step::execute it also sets the exit status: 127 where CMD
/// was not found, 126 where it cannot be executed. \param error_number the step's errno. \param object what the step
/// worked on.
void add_causes(Error& error, Step step, int error_number, std::string_view object, const Plan& plan, const Host& host);

/// As above, on a machine whose facts are known.
void add_causes(Error& error, Step step, int error_number, std::string_view object, const Plan& plan, const Host& host,
                const Machine& machine);

} // namespace sandbox
