// A machine that refuses: hooks for Options that take something away from one program before it starts.
#pragma once

#include <cstdint>
#include <vector>

namespace sandbox::test {

/// One refused system call: number `call` fails with `error_number` where (first argument & mask) != 0; mask 0: always.
struct Refusal {
    int call;
    int error_number;
    std::uint32_t mask = 0;
};

/// Loads a filter for the calling process and its children. Where root calls it, setuid programs keep their power;
/// else no_new_privs is set first. Leaves with _exit(95) where the kernel will not.
void refuse(const std::vector<Refusal>& refusals);

/// Enters a mount namespace of its own, where mounts reach nobody else (root only).
void own_mounts();

/// Covers `path` with a file that cannot be executed or read (root only, after own_mounts).
void cover(const char* path);

} // namespace sandbox::test
