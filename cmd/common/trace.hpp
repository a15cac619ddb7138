// The timed trace of a run (`--verbose`): names and moments are collected, nothing is printed until somebody asks.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/step_clock.hpp"

namespace sandbox {

/// What happened when, on the supervisor's side. Marking costs one clock read and one push_back.
class Trace {
public:
    struct Mark {
        std::string_view name;         ///< what has just been finished; must outlive the trace (a literal)
        std::int64_t microseconds = 0; ///< since the trace was made
    };

    Trace();

    /// Notes that `name` has been finished now.
    void mark(std::string_view name);

    /// Takes over what the child's clock holds: its steps run beside the supervisor's.
    void add_steps(const StepClock& clock);

    [[nodiscard]] const std::vector<Mark>& marks() const { return marks_; }

    /// A line a mark: "  1.234 ms  +0.120  read the profile"; then a line a step of the child: how long, how often.
    [[nodiscard]] std::string text() const;

private:
    std::int64_t start_ = 0; ///< microseconds of CLOCK_MONOTONIC
    std::vector<Mark> marks_;
    StepClock steps_;
};

} // namespace sandbox
