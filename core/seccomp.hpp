// The system call filter: seccomp(2), compiled by libseccomp, cached, loaded by CMD's own process as its last act.
#pragma once

#include <linux/filter.h>

#include <string>
#include <vector>

#include "core/plan/plan.hpp"

namespace sandbox::seccomp {

/// A classic BPF program over struct seccomp_data.
struct Program {
    std::vector<sock_filter> instructions;

    [[nodiscard]] bool empty() const { return instructions.empty(); }
};

/// Compiles the plan: foreign architectures are killed; what an entry restricts is refused; what one allows is allowed;
/// a known call that nothing names gets the default; a number newer than every known call answers ENOSYS.
/// \throws Error where libseccomp refuses.
[[nodiscard]] Program compile(const SeccompPlan& plan);

/// As `compile`, through the cache in `data_dir`: an entry that is stale, damaged, or not owned by the caller alone
/// is not used but replaced. A cache that cannot be written costs time, never safety.
[[nodiscard]] Program load_or_compile(const SeccompPlan& plan, const std::string& data_dir);

/// Loads the program for the calling thread: no_new_privs must be set. Plain code, for between clone and exec.
/// \return seccomp(2)'s result: 0, or -1 and errno.
[[nodiscard]] int load(const Program& program);

} // namespace sandbox::seccomp
