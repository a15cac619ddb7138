// "What would the kernel do with this call": a small interpreter of classic BPF over struct seccomp_data, so that every
// decision of a filter is a unit test without root.
#pragma once

#include <linux/filter.h>
#include <linux/seccomp.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace sandbox::test {

/// The SECCOMP_RET_* value that the program answers for `data`.
/// \param steps where given, the number of instructions that were executed.
/// \throws std::runtime_error where the program does what the kernel's checker would have refused.
[[nodiscard]] std::uint32_t evaluate(std::span<const sock_filter> program, const seccomp_data& data,
                                     std::size_t* steps = nullptr);

/// The call as a filter sees it.
/// `foreign_call`: by its AUDIT_ARCH_*.
[[nodiscard]] seccomp_data system_call(std::uint32_t number, const std::array<std::uint64_t, 6>& arguments = {});
[[nodiscard]] seccomp_data foreign_call(std::uint32_t audit_architecture, std::uint32_t number,
                                        const std::array<std::uint64_t, 6>& arguments = {});

} // namespace sandbox::test
