#include "core/pty.hpp"

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/vfs.h>
#include <termios.h>
#include <unistd.h>

#include <cerrno>

#include "core/control.hpp"

namespace sandbox::pty {

namespace {

bool is_devpts(int descriptor) {
    struct statfs status {};
    return ::fstatfs(descriptor, &status) == 0 && status.f_type == DEVPTS_SUPER_MAGIC;
}

} // namespace

Fd open_own(const std::optional<terminal::State>& like, int control, const StepReporter& failure) {
    // Our own devpts, opened without following links; and the peer by TIOCGPTPEER, never by a path: CVE-2025-52565.
    const Fd master(::open("/dev/pts/ptmx", O_RDWR | O_NOCTTY | O_NOFOLLOW | O_CLOEXEC));
    failure.at(Step::open_terminal, master.get(), "/dev/pts/ptmx");
    failure.expect(Step::open_terminal, is_devpts(master.get()), ENOTTY, "/dev/pts/ptmx");
    const int unlock = 0;
    failure.at(Step::open_terminal, ::ioctl(master.get(), TIOCSPTLCK, &unlock), "/dev/pts/ptmx");
    Fd slave(::ioctl(master.get(), TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC));
    failure.at(Step::open_terminal, slave.get(), "/dev/pts/ptmx");
    if (like) {
        failure.at(Step::open_terminal, ::tcsetattr(slave.get(), TCSANOW, &like->modes));
        failure.at(Step::open_terminal, ::ioctl(slave.get(), TIOCSWINSZ, &like->size));
    }
    failure.at(Step::open_terminal, control::send_descriptor(control, ChildMessage::Kind::terminal, master.get()));
    return slave;
}

int take_control(const Fd& terminal) {
    if (::ioctl(terminal.get(), TIOCSCTTY, 0) < 0) {
        return -1;
    }
    // Standard error that goes to a file stays there; input and output belong to the terminal.
    const bool errors_to_terminal = ::isatty(STDERR_FILENO) == 1 || ::isatty(STDIN_FILENO) == 0;
    for (const int descriptor : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
        if ((descriptor != STDERR_FILENO || errors_to_terminal) && ::dup2(terminal.get(), descriptor) < 0) {
            return -1;
        }
    }
    return 0;
}

int take_outputs(const Fd& terminal) {
    if (::ioctl(terminal.get(), TIOCSCTTY, 0) < 0) {
        return -1;
    }
    int taken = -1;
    for (const int descriptor : {STDOUT_FILENO, STDERR_FILENO}) {
        if (::isatty(descriptor) == 1) {
            taken = ::dup2(terminal.get(), descriptor);
            if (taken < 0) {
                return -1;
            }
        }
    }
    return taken;
}

int take_own(const ProcessPlan& process, const std::optional<terminal::State>& like, int control,
             const StepReporter& failure) {
    if (!process.terminal && !process.output_terminal) {
        return -1;
    }
    const Fd terminal = open_own(like, control, failure);
    if (process.terminal) {
        failure.at(Step::take_terminal, take_control(terminal));
        return STDIN_FILENO;
    }
    return failure.at(Step::take_terminal, take_outputs(terminal));
}

} // namespace sandbox::pty
