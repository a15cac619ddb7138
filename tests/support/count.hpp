// Counts passed, failed and skipped test cases, since Boost counts a skipped one as passed.
#pragma once

#include <string>

namespace sandbox::test {

/// Says and counts that the running test case cannot be done on this machine. Use the macros below.
void skipped(const std::string& reason);

} // namespace sandbox::test

/// Ends the test case as skipped, with its reason.
#define SKIP(reason)                                                                                                   \
    do {                                                                                                               \
        sandbox::test::skipped(reason);                                                                                \
        return;                                                                                                        \
    } while (false)

/// Ends the test case as skipped unless `condition` holds.
#define NEEDS(condition, reason)                                                                                       \
    do {                                                                                                               \
        if (!(condition)) {                                                                                            \
            SKIP(reason);                                                                                              \
        }                                                                                                              \
    } while (false)
