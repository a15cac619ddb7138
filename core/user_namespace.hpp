// A user namespace without a sandbox: files of subordinate ids are ours to read and to remove only from inside of one.
#pragma once

#include <functional>
#include <string>

#include "core/base/fd.hpp"
#include "core/plan/plan.hpp"

namespace sandbox {

/// Makes one with the plan's maps, without any process in it: it lives as long as the descriptor. \throws Error
[[nodiscard]] Fd make_user_namespace(const IdsPlan& plan);

/// Runs `question` in a process that has entered the namespace with every capability there. \return what it answers.
/// \throws Error where the process cannot be made, or ends without an answer; with the answer of `question`'s own
/// Error.
[[nodiscard]] std::string ask_in_user_namespace(const Fd& user_namespace, const std::function<std::string()>& question);

} // namespace sandbox
