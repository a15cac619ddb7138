#include "cmd/common/trace.hpp"

#include <ctime>

#include <fmt/format.h>

namespace sandbox {

namespace {

std::int64_t now_microseconds() {
    timespec now{};
    ::clock_gettime(CLOCK_MONOTONIC, &now);
    return std::int64_t{now.tv_sec} * 1000000 + now.tv_nsec / 1000;
}

double milliseconds(std::int64_t microseconds) {
    return static_cast<double>(microseconds) / 1000.0;
}

} // namespace

Trace::Trace() : start_(now_microseconds()) {
    marks_.reserve(32);
}

void Trace::mark(std::string_view name) {
    marks_.push_back({name, now_microseconds() - start_});
}

void Trace::add_steps(const StepClock& clock) {
    steps_ = clock;
}

std::string Trace::text() const {
    std::string result;
    std::int64_t before = 0;
    for (const Mark& mark : marks_) {
        result += fmt::format("{:9.3f} ms  +{:.3f}  {}\n", milliseconds(mark.microseconds),
                              milliseconds(mark.microseconds - before), mark.name);
        before = mark.microseconds;
    }
    for (std::size_t i = 0; i < steps_.entries.size(); ++i) {
        const StepClock::Entry& entry = steps_.entries[i];
        if (entry.times != 0) {
            result += fmt::format("   inside:    +{:.3f}  {} ({}x)\n", static_cast<double>(entry.nanoseconds) / 1e6,
                                  words(static_cast<Step>(i)).text, entry.times);
        }
    }
    return result;
}

} // namespace sandbox
