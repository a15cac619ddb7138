// Why CMD could not be executed: execve(2)'s errno says little, and often names the wrong file.
#pragma once

#include <string_view>

#include "core/base/error.hpp"
#include "core/plan/host.hpp"
#include "core/plan/plan.hpp"

namespace sandbox {

/// Adds the causes and fixes, and sets the exit status 127 or 126.
/// \param object CMD's name, or the file that was tried.
void add_execute_causes(Error& error, int error_number, std::string_view object, const Plan& plan, const Host& host);

} // namespace sandbox
