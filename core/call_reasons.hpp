// Which entry of a plan decides about a call, from the registers as seccomp_data has them, and what the call is named.
#pragma once

#include <linux/seccomp.h>

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "core/plan/plan.hpp"

namespace sandbox {

/// Why a call was refused.
struct CallReason {
    const SeccompEntry* entry = nullptr; ///< null: the filter's default
    /// The first argument that an entry for the call tests, and its low 32 bits; -1: only the number counts.
    int argument = -1;
    std::uint32_t value = 0;

    bool operator==(const CallReason&) const = default;
};

class CallReasons {
public:
    /// \param plan must outlive it.
    explicit CallReasons(const SeccompPlan& plan) : plan_(plan) {}

    /// The reason of a call that the plan's filter refuses. Quick for a number that was asked for before.
    [[nodiscard]] CallReason reason(const seccomp_data& call);
    /// Whether no report tells of it: `quiet` of [seccomp] or of the rule.
    [[nodiscard]] bool is_quiet(const seccomp_data& call);
    /// "ptrace"; "number 512" where it has no name; "number 26 of another architecture" where the plan kills its calls.
    [[nodiscard]] std::string name(std::uint32_t architecture, std::uint32_t number) const;

private:
    /// All that the plan says of one call.
    struct Known {
        std::vector<const SeccompEntry*> entries; ///< in the plan's order: the first that holds decides
        int argument = -1;
        bool is_quiet = false;
    };

    const Known& known(const seccomp_data& call);

    const SeccompPlan& plan_;
    std::map<std::pair<std::uint32_t, std::uint32_t>, Known> known_; ///< by architecture and number
};

} // namespace sandbox
