// How long each step of the child took, for --verbose: filled by the child, read by the supervisor.
#pragma once

#include <array>
#include <cstdint>
#include <ctime>

#include "core/base/step.hpp"

namespace sandbox {

/// Stands in memory that supervisor and child share; the child adds the time since its last step to each.
struct StepClock {
    struct Entry {
        std::uint32_t times = 0;
        std::uint64_t nanoseconds = 0;
    };
    std::array<Entry, static_cast<std::size_t>(Step::count_)> entries{};
    std::uint64_t last = 0;

    /// CLOCK_MONOTONIC in nanoseconds.
    static std::uint64_t now() {
        timespec time{};
        ::clock_gettime(CLOCK_MONOTONIC, &time);
        return static_cast<std::uint64_t>(time.tv_sec) * 1'000'000'000U + static_cast<std::uint64_t>(time.tv_nsec);
    }

    void start() { last = now(); }

    void stamp(Step step) {
        const std::uint64_t time = now();
        Entry& entry = entries[static_cast<std::size_t>(step)];
        ++entry.times;
        entry.nanoseconds += time - last;
        last = time;
    }
};

} // namespace sandbox
