// Descriptors 0 to 2, the only ones that a sandbox inherits.
#pragma once

#include <array>

namespace sandbox {

/// Opens /dev/null in place of each of the three that is closed, so that no file of ours becomes CMD's by accident, and
/// refuses a directory or an O_PATH descriptor: it would lead CMD to all of the host (openat(2), CVE-2024-21626).
/// Afterwards all three are open.
/// \return whether each was open before.
/// \throws Error naming the descriptor.
std::array<bool, 3> prepare_standard_streams();

/// In a session of its own CMD is out of reach of job control, which keeps other programs from reading what is typed
/// while they are in the background. As shells do for `CMD &` without job control, it gets /dev/null there.
/// \throws Error
void keep_background_from_reading();

/// Turns those of the standard streams up to `last` that are no terminal to /dev/null: whoever reads CMD's output sees
/// its end when CMD's processes have closed it, not when we end. Where that fails they stay, and the reader waits a
/// little longer: CMD runs by then, so this is no reason to end it. Plain code, for between clone and exec too.
void let_go_of_standard_streams(int last);

} // namespace sandbox
