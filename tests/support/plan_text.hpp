// A Plan as compact text for golden tests: everything that a run depends on, a line each.
#pragma once

#include <string>

#include "core/plan/plan.hpp"

namespace sandbox::test {

[[nodiscard]] std::string plan_text(const Plan& plan);

/// One entry: "bind /usr ro", "directory /dev 0755".
[[nodiscard]] std::string entry_text(const RootEntry& entry);

} // namespace sandbox::test
