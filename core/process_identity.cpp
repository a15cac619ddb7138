#include "core/process_identity.hpp"

#include <charconv>
#include <string>

#include "core/base/file.hpp"
#include "core/base/sys.hpp"

namespace sandbox {

namespace {

/// A numeric field of proc_pid_stat(5), as its numbers count; 0 where there is no such process.
std::uint64_t stat_field(pid_t pid, int number) {
    const std::string stat = read_line("/proc/" + std::to_string(pid) + "/stat");
    // The name, field 2, may hold blanks and parentheses; none stands behind its last one.
    std::size_t at = stat.rfind(')');
    for (int field = 2; field < number && at != std::string::npos; ++field) {
        at = stat.find(' ', at + 1);
    }
    std::uint64_t value = 0;
    if (at != std::string::npos) {
        std::from_chars(stat.data() + at + 1, stat.data() + stat.size(), value);
    }
    return value;
}

constexpr int kParent = 4;
constexpr int kStartTime = 22;

} // namespace

ProcessIdentity identify(pid_t pid) {
    return {.pid = pid, .start_time = stat_field(pid, kStartTime)};
}

pid_t parent_of(pid_t pid) {
    return static_cast<pid_t>(stat_field(pid, kParent));
}

Fd open_process(const ProcessIdentity& process) {
    Fd pidfd(sys::pidfd_open(process.pid));
    // Looked at after the opening: the number cannot change hands while the process is the one that was opened.
    const bool is_it = pidfd && process.start_time != 0 && identify(process.pid) == process;
    return is_it ? std::move(pidfd) : Fd();
}

} // namespace sandbox
