// The running program as a copy that nobody can write to: memfd_create(2), F_ADD_SEALS in fcntl(2).
#pragma once

namespace sandbox {

/// Makes sure that nobody can change this program by the link /proc/PID/exe: a process that enters a sandbox can be
/// made to execute "/proc/self/exe" there, and CMD then opens the file for writing (CVE-2019-5736). Where the file is
/// root's alone to write, nothing is to be done; else it is executed again from a sealed copy in memory, with the same
/// words and environment, and this comes back in that one. Before: one thread. \throws Error where there can be no
/// copy.
void run_unwritable(char** arguments);

} // namespace sandbox
