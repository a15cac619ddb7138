// pid 1 of the sandbox: reaps, passes signals on, and ends when the supervisor does.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string_view>

#include "core/base/fd.hpp"
#include "core/base/message.hpp"

namespace sandbox::init {

/// The descriptors that pid 1 keeps; everything else is closed.
constexpr int kControl = 3;  ///< the socket to the supervisor
constexpr int kSignals = 4;  ///< a signalfd for SIGCHLD
constexpr int kEvents = 5;   ///< an epoll instance with both
constexpr int kChildren = 6; ///< where the pid namespace is the host's: open_children_list

/// Whom pid 1, or what stands in its place, takes along when it ends.
enum class Takes : std::uint8_t {
    all,         ///< it is pid 1, so the kernel ends every process of the namespace with it
    descendants, ///< the pid namespace is the host's: they are killed one by one
    command,     ///< it has entered a sandbox that has a pid 1, whom all others are left to
};

/// Moves `control` to kControl, opens the others and closes every other descriptor above 2: close_range(2).
/// \return 0, or -1 and errno.
[[nodiscard]] int keep_only_own_descriptors(int control, bool shares_pid_namespace);

/// Overwrites the words that /proc/PID/cmdline, environ and comm show with `name`: pid 1 is a copy of the supervisor
/// and would show CMD and the options. `arguments` is main's argv. Call it in the child only; nothing may use argv or
/// environ afterwards.
void hide_command_line(char** arguments, std::string_view name);

/// Loads pid 1's own small filter: waiting, signals, its socket and the end; all else is EPERM. Where the pid namespace
/// is the host's, also what `kill_descendants` needs. \return 0, or -1 and errno.
[[nodiscard]] int lock(bool shares_pid_namespace);

/// Tells the supervisor that `command` runs, and goes on until that has ended or the supervisor's end of the socket is
/// closed. Reports stops and the end of `command`, passes on the signals that the supervisor sends.
[[noreturn]] void run(pid_t command, const ChildMessage& started, Takes takes);

/// The kernel's list of the children of this thread (proc_tid_children(5)); opened early, because CMD may lower our
/// RLIMIT_NOFILE. \return a descriptor, or -1 and errno.
[[nodiscard]] int open_children_list();

/// Kills and reaps every child of this process, and theirs as they are reparented to it, until none is left. Before:
/// the process has set PR_SET_CHILD_SUBREAPER.
void kill_descendants(int children_list);

/// Without a pid namespace of their own, CMD's processes outlive pid 1 and become our children: they end with the
/// scope.
class DescendantReaper {
public:
    /// \throws Error
    explicit DescendantReaper(bool shares_pid_namespace);
    DescendantReaper(const DescendantReaper&) = delete;
    DescendantReaper& operator=(const DescendantReaper&) = delete;
    ~DescendantReaper();

private:
    Fd children_list_;
};

} // namespace sandbox::init
