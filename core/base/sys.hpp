// Thin wrappers with the kernel's own names and results (-1 and errno) for calls that libc lacks.
// Plain code: usable between clone and exec.
#pragma once

#include <fcntl.h>
#include <linux/openat2.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>

namespace sandbox::sys {

inline int result_of(long result) {
    return static_cast<int>(result);
}

/// openat2(2). Retries EAGAIN, which the kernel answers when a rename or mount elsewhere raced with RESOLVE_IN_ROOT.
inline int openat2(int directory, const char* path, std::uint64_t flags, std::uint64_t resolve) {
    constexpr int kTries = 1000;
    open_how how{};
    how.flags = flags;
    how.resolve = resolve;
    int result = -1;
    for (int i = 0; i < kTries; ++i) {
        result = result_of(::syscall(SYS_openat2, directory, path, &how, sizeof how));
        if (result >= 0 || (errno != EAGAIN && errno != EINTR)) {
            break;
        }
    }
    return result;
}

/// clone(2) without a stack of its own: returns twice, as fork(2) does; `pidfd` is filled for the parent.
inline pid_t clone(std::uint64_t flags, int* pidfd) {
    return static_cast<pid_t>(::syscall(SYS_clone, flags | CLONE_PIDFD | SIGCHLD, nullptr, pidfd, nullptr, 0));
}

inline int pivot_root(const char* new_root, const char* put_old) {
    return result_of(::syscall(SYS_pivot_root, new_root, put_old));
}

inline int pidfd_open(pid_t pid) {
    return result_of(::syscall(SYS_pidfd_open, pid, 0));
}

inline int pidfd_send_signal(int pidfd, int signal) {
    return result_of(::syscall(SYS_pidfd_send_signal, pidfd, signal, nullptr, 0));
}

/// close_range(2): every descriptor from `first` on.
inline int close_from(unsigned first) {
    return result_of(::syscall(SYS_close_range, first, ~0U, 0U));
}

/// close_range(2): the descriptors from `first` to `last`.
inline int close_between(unsigned first, unsigned last) {
    return result_of(::syscall(SYS_close_range, first, last, 0U));
}

/// keyctl(KEYCTL_JOIN_SESSION_KEYRING, NULL): a new, empty, anonymous session keyring.
inline int join_session_keyring() {
    constexpr int kJoinSessionKeyring = 1;
    return result_of(::syscall(SYS_keyctl, kJoinSessionKeyring, nullptr));
}

} // namespace sandbox::sys
