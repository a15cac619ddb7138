// --dry-run: the whole plan and from where each part of it comes, for people and for programs.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/plan/plan.hpp"
#include "core/plan/profile.hpp"

namespace sandbox {

/// For people: sections, a line a fact, "<- where it was written" behind it.
/// \param log_size the most that the log of a detached run takes; nothing: it is not detached.
[[nodiscard]] std::string dry_run_text(const Profile& profile, const Plan& plan,
                                       const std::optional<std::uint64_t>& log_size = std::nullopt);

/// For programs: one JSON object. Its member "plan" is the version of the format, 1.
/// Bytes that are no UTF-8 become U+FFFD, because JSON cannot hold them.
[[nodiscard]] std::string dry_run_json(const Profile& profile, const Plan& plan,
                                       const std::optional<std::uint64_t>& log_size = std::nullopt);

/// How a RootEntry's kind is called in both.
[[nodiscard]] std::string_view word(RootEntry::Kind kind);

/// "allow", "log", "kill", or the errno's name ("EPERM").
[[nodiscard]] std::string word(const SeccompAction& action);

/// "CAP_NET_RAW".
[[nodiscard]] std::string capability_word(int number);

} // namespace sandbox
