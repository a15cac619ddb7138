// System calls by name: their numbers on the machines we run on, and the groups that systemd gave names to.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sandbox::syscalls {

/// A system call that some Linux architecture has. -1 where an architecture has no such call: socketcall is a name
/// that a profile may write everywhere, though only 32-bit machines know it.
struct Syscall {
    std::string_view name;
    int x86_64 = -1;
    int aarch64 = -1;

    /// The number on the architecture that this program was built for.
    [[nodiscard]] constexpr int native() const {
#if defined(__x86_64__)
        return x86_64;
#elif defined(__aarch64__)
        return aarch64;
#else
#error "sandbox knows the system calls of x86_64 and aarch64"
#endif
    }
};

/// Every name, sorted. Complete up to Linux 7.0's rseq_slice_yield, so that a libseccomp which is older than the kernel
/// neither hides a call nor lets it through.
[[nodiscard]] std::span<const Syscall> all();

/// \return nullptr for a name that no architecture has.
[[nodiscard]] const Syscall* find(std::string_view name);

/// A group of system.exec(5)'s SystemCallFilter: "@file-system", and its members separated by spaces: names and groups.
struct Group {
    std::string_view name;
    std::string_view members;
};

/// Every group but @known, sorted by name. They are systemd 252's; calls that are newer stand beside their older kin.
[[nodiscard]] std::span<const Group> groups();

/// The calls of a group, groups inside it resolved; in the table's order, each once. "@known" is every call.
/// \return nothing for an unknown group.
[[nodiscard]] std::optional<std::vector<const Syscall*>> members(std::string_view group);

/// On 32-bit x86 these calls go through one number whose arguments stand in memory, where no filter can look:
/// socketcall(2), ipc(2). Most have a number of their own too, since Linux 4.3.
struct Multiplexed {
    std::string_view name;
    std::string_view through; ///< "socketcall" or "ipc"
    int x86 = -1;             ///< the number of its own; -1 where there is none
};

/// \return nullptr for a call that x86 does not multiplex.
[[nodiscard]] const Multiplexed* find_multiplexed(std::string_view name);

/// The known name that is nearest to a mistyped one (a group's when it begins with '@'); empty where none is near.
[[nodiscard]] std::string nearest_name(std::string_view word);

} // namespace sandbox::syscalls
