#include "core/process_identity.hpp"

#include <charconv>
#include <string>

#include "core/base/file.hpp"
#include "core/base/sys.hpp"

namespace sandbox {

ProcessIdentity identify(pid_t pid) {
    ProcessIdentity found{.pid = pid, .start_time = 0};
    const std::string stat = read_line("/proc/" + std::to_string(pid) + "/stat");
    // The name, field 2, may hold blanks and parentheses; none stands behind its last one.
    std::size_t at = stat.rfind(')');
    constexpr int kStartTime = 22;
    for (int field = 2; field < kStartTime && at != std::string::npos; ++field) {
        at = stat.find(' ', at + 1);
    }
    if (at != std::string::npos) {
        std::from_chars(stat.data() + at + 1, stat.data() + stat.size(), found.start_time);
    }
    return found;
}

Fd open_process(const ProcessIdentity& process) {
    Fd pidfd(sys::pidfd_open(process.pid));
    // Looked at after the opening: the number cannot change hands while the process is the one that was opened.
    const bool is_it = pidfd && process.start_time != 0 && identify(process.pid) == process;
    return is_it ? std::move(pidfd) : Fd();
}

} // namespace sandbox
