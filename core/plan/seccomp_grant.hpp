// What would let a refused system call pass: an option and a line of a profile; or why nothing should.
#pragma once

#include <string>
#include <string_view>

#include "core/plan/plan.hpp"

namespace sandbox {

/// One refusal's way out. Applied as written it lets the call happen; where nothing does, or nothing should, `advice`
/// says so and the others are empty.
struct Grant {
    std::string option;  ///< "--seccomp-allow ptrace"
    std::string profile; ///< lines for the head of a profile: "seccomp.allow = [\"ptrace\"]"
    std::string advice;  ///< without a full stop

    bool operator==(const Grant&) const = default;
};

/// Ends the name of a call by an architecture that the profile does not name.
inline constexpr std::string_view kOfAnotherArchitecture = " of another architecture";

/// What a profile has to say for a call to pass, beside its name.
struct CallNeeds {
    bool rule = false; ///< not a word of seccomp.allow but a rule: another one allows the call for some arguments only
    std::string capability = {}; ///< which CMD keeps then; empty: none
    std::string advice = {};     ///< not empty: no profile lets it pass, or none should, and why

    bool operator==(const CallNeeds&) const = default;
};

/// \param refused_by the entry that refused it; null: the default did.
[[nodiscard]] CallNeeds needs_of_call(const SeccompPlan& plan, const IdsPlan& ids, std::string_view syscall,
                                      const SeccompEntry* refused_by);

/// The same in words.
[[nodiscard]] Grant grant_for_call(const SeccompPlan& plan, const IdsPlan& ids, std::string_view syscall,
                                   const SeccompEntry* refused_by);

} // namespace sandbox
