#include "core/seccomp_architecture.hpp"

#include <linux/audit.h>
#include <seccomp.h>

#include <algorithm>
#include <array>

namespace sandbox::seccomp {

namespace {

/// The highest of core/plan/syscall_table.cpp.
constexpr std::uint32_t kHighest = 471;

// Gaps come from the kernel's tables: syscall_64.tbl, syscall_32.tbl, arm's and the generic syscall.tbl.
constexpr auto kX8664 = std::to_array<NumberRange>({{0, 336}, {kFirstCommonNumber, kHighest}});
constexpr auto kX32 = std::to_array<NumberRange>({{0, 334}, {kFirstCommonNumber, kHighest}, {512, 547}});
constexpr auto kX86 = std::to_array<NumberRange>({{0, 386}, {393, kHighest}});
constexpr auto kAarch64 = std::to_array<NumberRange>({{0, 243}, {260, 294}, {kFirstCommonNumber, kHighest}});
constexpr auto kArm = std::to_array<NumberRange>({{0, 401}, {403, kHighest}, {0xf0001, 0xf0006}});

constexpr auto kArchitectures = std::to_array<Architecture>({
    {"aarch64", SCMP_ARCH_AARCH64, AUDIT_ARCH_AARCH64, NumberSpace::whole, 0, kAarch64},
    {"arm", SCMP_ARCH_ARM, AUDIT_ARCH_ARM, NumberSpace::whole, 0, kArm},
    {"x32", SCMP_ARCH_X32, AUDIT_ARCH_X86_64, NumberSpace::x32, kX32Bit, kX32},
    {"x86", SCMP_ARCH_X86, AUDIT_ARCH_I386, NumberSpace::whole, 0, kX86},
    {"x86_64", SCMP_ARCH_X86_64, AUDIT_ARCH_X86_64, NumberSpace::below_x32, 0, kX8664},
});

} // namespace

const Architecture* find_architecture(std::string_view name) {
    const auto* found = std::ranges::find(kArchitectures, name, &Architecture::name);
    return found != kArchitectures.end() ? found : nullptr;
}

} // namespace sandbox::seccomp
