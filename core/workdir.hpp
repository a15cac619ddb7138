// The working directory of CMD, entered inside the new root: chdir(2), getcwd(2).
#pragma once

namespace sandbox {

/// Enters `path` and proves that it lies below the new root: an unreachable directory would lead out (CVE-2024-21626).
/// Plain code, for between clone and exec.
/// \return 0, or -1 and errno.
[[nodiscard]] int enter_workdir(const char* path);

} // namespace sandbox
