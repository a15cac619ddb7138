// Whether a user's processes outlive his last session: loginctl(1), enable-linger.
#pragma once

#include "core/plan/host.hpp"

namespace sandbox {

/// logind knows the caller, and ends his manager and his runtime directory with his last session.
[[nodiscard]] bool ends_with_last_session(const Host& host);

} // namespace sandbox
