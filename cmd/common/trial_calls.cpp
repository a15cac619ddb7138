#include "cmd/common/trial_calls.hpp"

#include <fcntl.h>
#include <sched.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <iterator>
#include <vector>

#include "core/base/fd.hpp"

namespace sandbox {

namespace {

/// A call made so that the kernel refuses it before it does anything, with an errno that no filter uses for a refusal:
/// EPERM then means a filter, and ENOSYS a filter or an old kernel.
struct Trial {
    const char* name;
    long (*call)();
    /// The kernel asks for a capability before it looks at anything: only ENOSYS tells something then.
    bool is_privileged = false;
};

constexpr unsigned kWrong = ~0U;
constexpr void* kNowhere = nullptr;

// clang-format off
constexpr Trial kTrials[] = {
    // CLONE_FS with CLONE_NEWUSER is EINVAL: clone(2).
    {"clone", [] { return ::syscall(SYS_clone, CLONE_NEWUSER | CLONE_FS, kNowhere, kNowhere, kNowhere, kNowhere); }},
    {"unshare", [] { return ::syscall(SYS_unshare, kWrong); }},
    {"mount", [] { return ::syscall(SYS_mount, kNowhere, kNowhere, kNowhere, 0UL, kNowhere); }},
    {"openat2", [] { return ::syscall(SYS_openat2, AT_FDCWD, "/", kNowhere, 0UL); }},
    {"open_tree", [] { return ::syscall(SYS_open_tree, -1, "", kWrong); }},
    {"mount_setattr", [] { return ::syscall(SYS_mount_setattr, -1, "", kWrong, kNowhere, 0UL); }},
    {"fsopen", [] { return ::syscall(SYS_fsopen, kNowhere, kWrong); }, true},
    {"fsconfig", [] { return ::syscall(SYS_fsconfig, -1, kWrong, kNowhere, kNowhere, 0); }},
    {"fsmount", [] { return ::syscall(SYS_fsmount, -1, kWrong, kWrong); }, true},
    {"move_mount", [] { return ::syscall(SYS_move_mount, -1, kNowhere, -1, kNowhere, kWrong); }, true},
    {"pivot_root", [] { return ::syscall(SYS_pivot_root, kNowhere, kNowhere); }, true},
    {"close_range", [] { return ::syscall(SYS_close_range, 1U, 0U, 0U); }},
    {"pidfd_open", [] { return ::syscall(SYS_pidfd_open, -1, 0U); }},
    {"seccomp", [] { return ::syscall(SYS_seccomp, kWrong, 0U, kNowhere); }},
    {"keyctl", [] { return ::syscall(SYS_keyctl, 0x7fffffff, 0UL, 0UL, 0UL, 0UL); }},
};
// clang-format on

CallState state_of(const Trial& trial, long result, int error_number) {
    if (result < 0 && error_number == ENOSYS) {
        return CallState::missing;
    }
    const bool refused = result < 0 && (error_number == EPERM || error_number == EACCES);
    return refused && !trial.is_privileged ? CallState::refused_by_filter : CallState::works;
}

/// Tries the calls from `first` on in a child, because a filter may kill who makes them.
/// \return what became known; less than was asked for where the child was killed.
std::vector<CallState> try_calls_from(std::size_t first) {
    int ends[2] = {-1, -1};
    if (::pipe2(ends, O_CLOEXEC) != 0) {
        return {};
    }
    const Fd reader(ends[0]);
    Fd writer(ends[1]);
    const pid_t child = ::fork();
    if (child == 0) {
        for (std::size_t i = first; i < std::size(kTrials); ++i) {
            const long result = kTrials[i].call();
            const CallState state = state_of(kTrials[i], result, errno);
            if (::write(writer.get(), &state, sizeof state) < 0) {
                break;
            }
        }
        ::_exit(0);
    }
    writer.reset();
    std::vector<CallState> states;
    CallState state = CallState::works;
    while (child > 0 && ::read(reader.get(), &state, sizeof state) == static_cast<ssize_t>(sizeof state)) {
        states.push_back(state);
    }
    if (child > 0) {
        ::waitpid(child, nullptr, 0);
    }
    return states;
}

} // namespace

std::map<std::string, CallState> try_calls() {
    std::map<std::string, CallState> calls;
    std::size_t next = 0;
    while (next < std::size(kTrials)) {
        const std::vector<CallState> states = try_calls_from(next);
        for (const CallState state : states) {
            calls[kTrials[next++].name] = state;
        }
        if (states.empty() && next == 0) {
            break; // not even a child can be made; nothing is known
        }
        if (next < std::size(kTrials)) {
            calls[kTrials[next++].name] = CallState::refused_by_filter; // it killed the child
        }
    }
    return calls;
}

} // namespace sandbox
