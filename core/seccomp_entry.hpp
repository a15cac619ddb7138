// An entry of the cache of compiled filters: the text of all that the program was compiled from, the program, a
// checksum.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/plan/plan.hpp"
#include "core/seccomp.hpp"

namespace sandbox::seccomp {

/// All that decides what the program is: the plan, who compiles it and for what.
[[nodiscard]] std::string key_of(const SeccompPlan& plan);

/// The bytes of an entry.
[[nodiscard]] std::string encoded(std::string_view key, const Program& program);

/// The program of an entry; nothing where one byte of it is not as it was written, where it is another key's, or where
/// the kernel would not take the program.
[[nodiscard]] std::optional<Program> decoded(std::string_view entry, std::string_view key);

/// No entry of this key is longer.
[[nodiscard]] std::size_t longest_entry(std::string_view key);

/// Against accidents, not against attackers: whoever may write an entry could compute it too.
[[nodiscard]] std::uint64_t checksum_of(std::string_view bytes);

} // namespace sandbox::seccomp
