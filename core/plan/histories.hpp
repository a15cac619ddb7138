// Where shells and interpreters keep what was typed, passwords too.
#pragma once

#include <array>
#include <string_view>

namespace sandbox {

/// Paths below a home. Programs write them at every turn, and nobody else needs to read them.
inline constexpr auto kHistories =
    std::to_array<std::string_view>({".bash_history", ".zsh_history", ".sh_history", ".history", ".python_history",
                                     ".node_repl_history", ".sqlite_history", ".psql_history"});

} // namespace sandbox
