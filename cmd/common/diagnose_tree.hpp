// Why a root that is an image or a directory could not be put together: its files are nobody's we know.
#pragma once

#include <string_view>

#include "core/base/error.hpp"
#include "core/base/step.hpp"
#include "core/plan/plan.hpp"

namespace sandbox {

/// Adds what is to be said of a step on a root of its own, or a private layer. \return whether there was anything.
bool add_tree_causes(Error& error, Step step, int error_number, std::string_view object, const Plan& plan);

} // namespace sandbox
