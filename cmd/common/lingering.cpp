#include "cmd/common/lingering.hpp"

#include <unistd.h>

#include <fmt/format.h>

namespace sandbox {

bool ends_with_last_session(const Host& host) {
    // logind has a file for each user that is logged in or lingers.
    const bool is_known = ::access(fmt::format("/run/systemd/users/{}", host.uid).c_str(), F_OK) == 0;
    const bool lingers = ::access(fmt::format("/var/lib/systemd/linger/{}", host.user_name).c_str(), F_OK) == 0;
    return is_known && !lingers;
}

} // namespace sandbox
