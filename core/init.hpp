// pid 1 of the sandbox: reaps, passes signals on, and ends when the supervisor does.
#pragma once

#include <sys/types.h>

#include "core/base/message.hpp"

namespace sandbox::init {

/// The two descriptors that pid 1 keeps; everything else is closed.
constexpr int kControl = 3; ///< the socket to the supervisor
constexpr int kSignals = 4; ///< a signalfd for SIGCHLD

/// Moves `control` to kControl, opens kSignals and closes every other descriptor above 2: close_range(2).
/// \return 0, or -1 and errno.
[[nodiscard]] int keep_only_own_descriptors(int control);

/// Overwrites the words that /proc/PID/cmdline, environ and comm show: pid 1 is a copy of the supervisor and would show
/// CMD and the options. `arguments` is main's argv. Call it in the child only; nothing may use argv or environ
/// afterwards.
void hide_command_line(char** arguments);

/// Loads pid 1's own small filter: waiting, signals, its socket and the end; all else is EPERM. `reads_proc` adds what
/// the end of a run in the host's pid namespace needs. \return 0, or -1 and errno.
[[nodiscard]] int lock(bool reads_proc);

/// Tells the supervisor that `command` runs, and goes on until that has ended or the supervisor's end of the socket is
/// closed. Reports stops and the end of `command`, passes on the signals that the supervisor sends. Where the pid
/// namespace is the sandbox's own, its end takes every process along; otherwise (`kills_descendants`) they are killed
/// one by one.
[[noreturn]] void run(pid_t command, const ChildMessage& started, bool kills_descendants);

/// Kills and reaps every child of this process, and theirs as they are reparented to it, until none is left. Before:
/// the process has set PR_SET_CHILD_SUBREAPER. On a kernel without CONFIG_PROC_CHILDREN it finds none.
void kill_descendants();

} // namespace sandbox::init
