// Signals as people and images write them: "TERM", "SIGTERM", "15", "SIGRTMIN+3".
#pragma once

#include <string>

namespace sandbox::ctl {

/// \throws Error for what names none; `what` says where it stands: "--signal".
[[nodiscard]] int parse_signal(const std::string& text, const std::string& what);

/// "SIGTERM".
[[nodiscard]] std::string signal_name(int signal);

/// Whether a supervisor hands this signal to CMD. SIGKILL is not one of them: who sends it means the whole sandbox.
[[nodiscard]] bool is_passed_on(int signal);

} // namespace sandbox::ctl
