// Which of the calls that a start makes the kernel knows, and which of them a filter around us refuses.
#pragma once

#include <map>
#include <string>

namespace sandbox {

/// What the kernel answers to a call that cannot succeed, told apart from a filter's answer.
enum class CallState { works, refused_by_filter, missing };

/// Tries each, in a child, in a form that changes nothing: "unshare", "openat2" ... Empty where no child can be made.
[[nodiscard]] std::map<std::string, CallState> try_calls();

} // namespace sandbox
