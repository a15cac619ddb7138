// What must hold for a sandbox to start, each with its fix: `sandboxctl doctor` runs all of them ahead, and a failed
// start looks here for its cause.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "cmd/common/machine.hpp"

namespace sandbox {

struct Check {
    enum class State {
        ok,
        warning, ///< something is worse than it could be, but a sandbox starts
        missing, ///< a sandbox under `strict` does not start
    };

    std::string_view id;    ///< stable, for programs: "user-namespaces"
    std::string_view title; ///< for people: "user namespaces are allowed"
    State state = State::ok;
    std::string why; ///< empty where it is ok
    std::string fix; ///< a command or a line to write
};

/// "ok", "warning", "missing".
[[nodiscard]] std::string_view word(Check::State state);

/// All checks, in the order of a start.
[[nodiscard]] std::vector<Check> run_checks(const Machine& machine, const Host& host);

} // namespace sandbox
