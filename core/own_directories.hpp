// The directories of ours that must exist before a run that grants something above them.
#pragma once

#include <string>
#include <vector>

namespace sandbox {

/// Makes each path (absolute) and what is missing above it, mode 0700. What exists must be a directory, the caller's,
/// and writable by nobody else. \throws Error naming the directory: without it CMD could plant one for the next run.
void make_own_directories(const std::vector<std::string>& paths);

} // namespace sandbox
