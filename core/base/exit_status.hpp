// What the exit status of the programs says; it is otherwise CMD's own. env(1), timeout(1), sh(1)
#pragma once

namespace sandbox {

constexpr int kTimedOut = 124;
constexpr int kOwnFailure = 125;
constexpr int kCannotExecute = 126;
constexpr int kNotFound = 127;
constexpr int kSignalBase = 128; ///< and the number of the signal that ended CMD

} // namespace sandbox
