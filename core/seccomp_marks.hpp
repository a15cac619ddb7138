// From one compiled program the two forms of a filter. Both come from the same instructions, so that a report can
// change no decision: where the plain form answers an errno that is to be reported, the reporting form asks, and that
// is all.
#pragma once

#include <array>
#include <string_view>

#include "core/plan/plan.hpp"
#include "core/seccomp.hpp"

namespace sandbox::seccomp {

/// What CMD's process calls between its filter and its first instruction, or its end where the start fails. Nobody
/// listens yet, so these never ask.
inline constexpr std::array<std::string_view, 3> kCallsOfTheStart = {"execve", "exit", "exit_group"};

/// Compiles the plan, with kToBeReported in the errno of each refusal that is to be reported. \throws as `compile`.
[[nodiscard]] Program compile_marked(const SeccompPlan& plan);

/// Takes the marks out. There is no reporting form where nothing is marked, or where a test of arguments could make the
/// start ask.
[[nodiscard]] Filter split(Program marked, const SeccompPlan& plan);

} // namespace sandbox::seccomp
