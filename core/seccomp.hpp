// The system call filter: seccomp(2), compiled by libseccomp, cached, loaded by CMD's own process as its last act.
//
// What a SeccompPlan decides about a call, first match wins:
//   1. an entry that kills; 2. an entry that answers an errno, in their order; 3. an entry that logs (the call is
//   executed, the kernel writes it to the audit log); 4. an entry that allows; 5. the default action.
// So `deny` beats `allow`, and a rule that restricts holds on top of an allowance. Every test compares the low 32 bits
// of an argument, as the kernel does where the argument is an int: what an attacker puts above them changes nothing.
//
// A number that no known call has (newer than all of them, or in a gap of the table) answers ENOSYS, so that libc falls
// back, unless the default action lets calls pass: then it passes too. Calls of an architecture that the plan does not
// name are killed, x32's among them (x86_64's numbers with bit 30 set).
#pragma once

#include <linux/filter.h>

#include <span>
#include <string>
#include <vector>

#include "core/plan/plan.hpp"

namespace sandbox::seccomp {

/// A classic BPF program over struct seccomp_data.
struct Program {
    std::vector<sock_filter> instructions;

    [[nodiscard]] bool empty() const { return instructions.empty(); }
};

/// Compiles the plan; a plan without a filter gives an empty program. \throws Error where libseccomp refuses, or where
/// the program is longer than the 4096 instructions that the kernel takes.
[[nodiscard]] Program compile(const SeccompPlan& plan);

/// As `compile`, through the cache in `data_dir`/seccomp: an entry that is stale, damaged, or not owned by the caller
/// alone is not used but replaced. A cache that cannot be used costs time, never safety. \throws as `compile` does.
[[nodiscard]] Program load_or_compile(const SeccompPlan& plan, const std::string& data_dir);

/// Whether the kernel would take the program: known instructions, jumps forward and inside, a return at the end.
[[nodiscard]] bool is_well_formed(std::span<const sock_filter> instructions);

/// Loads the program for the calling thread: no_new_privs must be set. Plain code, for between clone and exec.
/// \return seccomp(2)'s result: 0, or -1 and errno.
[[nodiscard]] int load(const Program& program);

} // namespace sandbox::seccomp
