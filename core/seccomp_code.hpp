// Classic BPF of our own: what a number alone decides, and the joints between libseccomp's programs, which decide by
// arguments. Most calls are decided by their number, and most numbers by ranges: as a tree over the ranges that takes a
// third of the instructions that libseccomp needs for it, and the kernel, which compiles the program at each start and
// runs it for every number, a third of the time.
#pragma once

#include <linux/filter.h>

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "core/plan/plan.hpp"
#include "core/seccomp_architecture.hpp"

namespace sandbox::seccomp {

using Code = std::vector<sock_filter>;

/// Whether a report tells of what the action refuses. ENOSYS is what libc tries on purpose.
[[nodiscard]] bool is_reported(const SeccompAction& action);

/// SECCOMP_RET_* of an action, with kToBeReported where it is.
[[nodiscard]] std::uint32_t return_value(const SeccompAction& action);

/// Set in the errno of a refusal that is to be reported: no errno is so large, and libseccomp takes no larger one than
/// 4094. A program with such marks becomes the plain and the reporting one: seccomp_marks.hpp.
inline constexpr std::uint32_t kToBeReported = 0x800;

/// A call by its number (without the architecture's base) and all that the plan says of it, strongest first.
struct NumberedCall {
    std::uint32_t number = 0;
    std::vector<const SeccompEntry*> entries;
};

void append(Code& code, const Code& more);
void append_return(Code& code, std::uint32_t value);

/// Numbers from `first` up to the next range's: the answer, or nothing where the arguments decide.
struct DecidedRange {
    std::uint32_t first = 0;
    std::optional<std::uint32_t> answer;
};

/// Answers by the number; where arguments decide it runs on. `ranges` ascend and begin with the lowest number.
void append_numbers(Code& code, std::span<const DecidedRange> ranges);

/// Decides the given calls wholly, `otherwise` where no entry holds; all others run on.
void append_numbered_calls(Code& code, const Architecture& architecture, const std::vector<NumberedCall>& calls,
                           const SeccompAction& otherwise);

/// `body` for the calls of this architecture; those of others run past its end.
[[nodiscard]] Code guarded(const Architecture& architecture, const Code& body);

/// The program with each "allowed" turned into a jump past its end.
[[nodiscard]] Code allowed_runs_on(Code program);

} // namespace sandbox::seccomp
