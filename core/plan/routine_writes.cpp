#include "core/plan/routine_writes.hpp"

#include <algorithm>
#include <array>

#include "core/plan/paths.hpp"

namespace sandbox {

namespace {

// clang-format off
constexpr auto kNames = std::to_array<std::string_view>({
    ".cache", ".local/state",  // XDG_CACHE_HOME, XDG_STATE_HOME
    ".npm", ".cargo/registry", // downloads
    ".lesshst", ".viminfo", ".wget-hsts",
    ".bash_history", ".zsh_history", ".sh_history", ".history",
    ".python_history", ".node_repl_history", ".sqlite_history", ".psql_history",
});
// clang-format on

} // namespace

bool is_routine_write(const std::string& path, std::string_view home) {
    return std::ranges::any_of(kNames,
                               [&](std::string_view name) { return paths::is_within(path, paths::join(home, name)); });
}

} // namespace sandbox
