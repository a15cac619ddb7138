// What a filter must know of an architecture: its token, its numbers, and which of them are calls at all.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace sandbox::seccomp {

/// Since Linux 5.1 a new call has the same number on every architecture, from here on.
inline constexpr std::uint32_t kFirstCommonNumber = 424;
/// Set in the numbers of x32's calls.
inline constexpr std::uint32_t kX32Bit = 0x40000000;

/// System call numbers from `first` to `last`, both included.
struct NumberRange {
    std::uint32_t first = 0;
    std::uint32_t last = 0;
};

/// How the numbers of an architecture are told from those of another with the same audit token.
enum class NumberSpace {
    whole,     ///< it has the token for itself
    below_x32, ///< x86_64: numbers without bit 30, and -1, which a tracer sets to skip a call
    x32,       ///< numbers with bit 30
};

struct Architecture {
    std::string_view name;   ///< libseccomp's: "x86_64"
    std::uint32_t token = 0; ///< libseccomp's
    std::uint32_t audit = 0; ///< AUDIT_ARCH_*, what seccomp_data.arch holds
    NumberSpace space = NumberSpace::whole;
    std::uint32_t base = 0;                ///< added to each number: x32's bit 30
    std::span<const NumberRange> assigned; ///< without `base`, ascending; numbers outside are no calls
};

/// \return the architecture of that name; nullptr for another.
[[nodiscard]] const Architecture* find_architecture(std::string_view name);

} // namespace sandbox::seccomp
