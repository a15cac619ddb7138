// /proc/PID/stat, by the numbers that proc_pid_stat(5) gives its fields.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>

namespace sandbox {

/// One line of it, as it was when it was read.
class ProcessStat {
public:
    static constexpr int kParent = 4;
    static constexpr int kUserTime = 14; ///< in clock ticks; then the system's, and both of the children
    static constexpr int kThreads = 20;
    static constexpr int kStartTime = 22; ///< in clock ticks since boot
    static constexpr int kResident = 24;  ///< in pages

    explicit ProcessStat(pid_t pid);

    /// False where there is no such process.
    [[nodiscard]] bool is_there() const { return !fields_.empty(); }
    /// A numeric field from the third on; 0 where there is no such process.
    [[nodiscard]] std::uint64_t number(int field) const;

private:
    std::string fields_; ///< from the blank before the third on
};

} // namespace sandbox
