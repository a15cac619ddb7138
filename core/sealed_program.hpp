// The running program as a copy that nobody can write to: memfd_create(2), F_ADD_SEALS in fcntl(2).
#pragma once

namespace sandbox {

/// Executes this program again from a sealed copy in memory, with the same words and environment; comes back where it
/// already is one. A process that enters a sandbox can be made to execute "/proc/self/exe" there, and what that names
/// must not be a file that the caller may write to (CVE-2019-5736).
/// Before: one thread. \throws Error where there can be no copy.
void run_from_sealed_copy(char** arguments);

} // namespace sandbox
