#include "core/process_identity.hpp"

#include "core/base/sys.hpp"
#include "core/process_stat.hpp"

namespace sandbox {

ProcessIdentity identify(pid_t pid) {
    return {.pid = pid, .start_time = ProcessStat(pid).number(ProcessStat::kStartTime)};
}

pid_t parent_of(pid_t pid) {
    return static_cast<pid_t>(ProcessStat(pid).number(ProcessStat::kParent));
}

Fd open_process(const ProcessIdentity& process) {
    Fd pidfd(sys::pidfd_open(process.pid));
    // Looked at after the opening: the number cannot change hands while the process is the one that was opened.
    const bool is_it = pidfd && process.start_time != 0 && identify(process.pid) == process;
    return is_it ? std::move(pidfd) : Fd();
}

} // namespace sandbox
