#include "core/plan/routine_writes.hpp"

#include <algorithm>
#include <array>

#include "core/plan/histories.hpp"
#include "core/plan/paths.hpp"

namespace sandbox {

namespace {

// clang-format off
constexpr auto kNames = std::to_array<std::string_view>({
    ".cache", ".local/state",  // XDG_CACHE_HOME, XDG_STATE_HOME
    ".npm", ".cargo/registry", // downloads
    ".lesshst", ".viminfo", ".wget-hsts",
});
// clang-format on

} // namespace

bool is_routine_write(const std::string& path, std::string_view home) {
    const auto holds = [&](std::string_view name) { return paths::is_within(path, paths::join(home, name)); };
    return std::ranges::any_of(kNames, holds) || std::ranges::any_of(kHistories, holds);
}

} // namespace sandbox
