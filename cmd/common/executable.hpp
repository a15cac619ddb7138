// Where our own programs stand.
#pragma once

#include <string>

namespace sandbox {

/// The file of the running program, from /proc/self/exe; empty where /proc is not mounted.
[[nodiscard]] std::string own_executable();

/// `sandbox`, beside the running program; empty where that is not known.
[[nodiscard]] std::string sandbox_executable();

} // namespace sandbox
