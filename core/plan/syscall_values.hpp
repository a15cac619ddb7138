// The symbolic values that a profile may test a system call's argument against: AF_VSOCK, CLONE_NEWUSER, TIOCSTI.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace sandbox::syscalls {

/// The value of a symbolic name of the man pages, on this architecture.
[[nodiscard]] std::optional<std::uint32_t> symbol(std::string_view name);

/// An argument as the man pages write it: "AF_VSOCK" for socket's first, "CLONE_NEWNS|CLONE_NEWPID" for unshare's;
/// in hexadecimal where no name is known.
[[nodiscard]] std::string argument_words(std::string_view syscall, int argument, std::uint32_t value);

/// A number as C and TOML write it: 42, -1, 0x5412, 0o17, 017. Negative ones are the 32 bits that C passes for them.
/// \return nothing where it is no number or does not fit in 32 bits.
[[nodiscard]] std::optional<std::uint32_t> number(std::string_view text);

/// The number of an errno's name, "EAFNOSUPPORT"; 0 for an unknown one.
[[nodiscard]] int error_number(std::string_view name);

/// The known name that is nearest to a mistyped one; empty where none is near.
[[nodiscard]] std::string nearest_symbol(std::string_view word);

/// As nearest_symbol, among what a rule's action may be: allow, deny, kill, log and the errnos' names.
[[nodiscard]] std::string nearest_action(std::string_view word);

} // namespace sandbox::syscalls
