#include "cmd/common/executable.hpp"

#include <unistd.h>

#include <array>
#include <climits>

namespace sandbox {

std::string own_executable() {
    std::array<char, PATH_MAX> path{};
    const ssize_t length = ::readlink("/proc/self/exe", path.data(), path.size());
    return length <= 0 ? "" : std::string(path.data(), static_cast<std::size_t>(length));
}

std::string sandbox_executable() {
    const std::string own = own_executable();
    return own.empty() ? "" : own.substr(0, own.rfind('/') + 1) + "sandbox";
}

} // namespace sandbox
