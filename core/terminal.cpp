#include "core/terminal.hpp"

#include <fcntl.h>
#include <linux/magic.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "core/base/message.hpp"
#include "core/mount.hpp"

namespace sandbox::terminal {

namespace {

constexpr std::size_t kBufferSize = 16 * 1024;

bool in_foreground(int descriptor) {
    return ::tcgetpgrp(descriptor) == ::getpgrp();
}

bool same(const termios& a, const termios& b) {
    return a.c_iflag == b.c_iflag && a.c_oflag == b.c_oflag && a.c_cflag == b.c_cflag && a.c_lflag == b.c_lflag &&
           std::memcmp(a.c_cc, b.c_cc, sizeof a.c_cc) == 0;
}

bool same(const winsize& a, const winsize& b) {
    return a.ws_row == b.ws_row && a.ws_col == b.ws_col;
}

bool is_devpts(int descriptor) {
    struct statfs status{};
    return ::fstatfs(descriptor, &status) == 0 && status.f_type == DEVPTS_SUPER_MAGIC;
}

/// Passes `descriptor` to the supervisor as SCM_RIGHTS: unix(7).
int send_master(int control, int descriptor) {
    ChildMessage message{};
    message.kind = ChildMessage::Kind::terminal;
    iovec part{&message, sizeof message};
    alignas(cmsghdr) char buffer[CMSG_SPACE(sizeof(int))] = {};
    msghdr header{};
    header.msg_iov = &part;
    header.msg_iovlen = 1;
    header.msg_control = buffer;
    header.msg_controllen = sizeof buffer;
    cmsghdr* rights = CMSG_FIRSTHDR(&header);
    rights->cmsg_level = SOL_SOCKET;
    rights->cmsg_type = SCM_RIGHTS;
    rights->cmsg_len = CMSG_LEN(sizeof(int));
    std::memcpy(CMSG_DATA(rights), &descriptor, sizeof descriptor);
    return static_cast<int>(::sendmsg(control, &header, MSG_NOSIGNAL));
}

} // namespace

std::optional<State> read_state(int descriptor) {
    State state;
    if (::tcgetattr(descriptor, &state.modes) < 0) {
        return std::nullopt;
    }
    // A terminal without a size (a serial line) has zeroes.
    ::ioctl(descriptor, TIOCGWINSZ, &state.size);
    return state;
}

Guard::Guard(bool size_too) : size_too_(size_too) {
    for (const int descriptor : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
        if (const std::optional<State> state = read_state(descriptor)) {
            // A copy, because the run may close its own standard descriptors.
            descriptor_ = ::fcntl(descriptor, F_DUPFD_CLOEXEC, 3);
            state_ = *state;
            return;
        }
    }
}

Guard::~Guard() {
    if (descriptor_ < 0) {
        return;
    }
    const std::optional<State> now = read_state(descriptor_);
    // In the background the terminal belongs to somebody else, who may have changed it with good reason.
    if (now && in_foreground(descriptor_)) {
        if (!same(now->modes, state_.modes)) {
            ::tcsetattr(descriptor_, TCSADRAIN, &state_.modes);
        }
        if (size_too_ && !same(now->size, state_.size)) {
            ::ioctl(descriptor_, TIOCSWINSZ, &state_.size);
        }
    }
    ::close(descriptor_);
}

Fd open_own(const std::optional<State>& like, int control, const FailurePipe& failure) {
    // Our own devpts, opened without following links; and the peer by TIOCGPTPEER, never by a path: CVE-2025-52565.
    const Fd master(::open("/dev/pts/ptmx", O_RDWR | O_NOCTTY | O_NOFOLLOW | O_CLOEXEC));
    failure.at(Step::open_terminal, master.get(), "/dev/pts/ptmx");
    if (!is_devpts(master.get())) {
        errno = ENOTTY;
        failure.leave(Step::open_terminal, "/dev/pts/ptmx");
    }
    const int unlock = 0;
    failure.at(Step::open_terminal, ::ioctl(master.get(), TIOCSPTLCK, &unlock), "/dev/pts/ptmx");
    Fd slave(::ioctl(master.get(), TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC));
    failure.at(Step::open_terminal, slave.get(), "/dev/pts/ptmx");
    if (like) {
        failure.at(Step::open_terminal, ::tcsetattr(slave.get(), TCSANOW, &like->modes));
        failure.at(Step::open_terminal, ::ioctl(slave.get(), TIOCSWINSZ, &like->size));
    }
    failure.at(Step::open_terminal, send_master(control, master.get()));
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

Relay::Relay(Fd master) : master_(std::move(master)), caller_(read_state(STDIN_FILENO)) {
    const int flags = ::fcntl(master_.get(), F_GETFL);
    ::fcntl(master_.get(), F_SETFL, flags | O_NONBLOCK);
    resume();
}

Relay::~Relay() {
    suspend();
}

void Relay::suspend() {
    if (raw_ && in_foreground(STDIN_FILENO)) {
        ::tcsetattr(STDIN_FILENO, TCSADRAIN, &caller_->modes);
    }
    raw_ = false;
}

void Relay::resume() {
    if (caller_ && in_foreground(STDIN_FILENO)) {
        termios raw = caller_->modes;
        ::cfmakeraw(&raw);
        ::tcsetattr(STDIN_FILENO, TCSADRAIN, &raw);
        raw_ = true;
    }
    copy_size();
}

void Relay::copy_size() {
    const std::optional<State> now = read_state(STDIN_FILENO);
    if (now) {
        ::ioctl(master_.get(), TIOCSWINSZ, &now->size);
    }
}

void Relay::watch(pollfd* entries) const {
    const bool may_read = input_open_ && !hung_up_ && to_master_.size() < kBufferSize && (!caller_ || raw_);
    entries[0] = {may_read ? STDIN_FILENO : -1, POLLIN, 0};
    short wanted = 0;
    wanted = static_cast<short>(to_output_.size() < kBufferSize ? POLLIN : 0);
    wanted = static_cast<short>(wanted | (to_master_.empty() ? 0 : POLLOUT));
    entries[1] = {hung_up_ || wanted == 0 ? -1 : master_.get(), wanted, 0};
    entries[2] = {to_output_.empty() ? -1 : STDOUT_FILENO, POLLOUT, 0};
}

void Relay::serve(const pollfd* entries) {
    if (entries[0].fd >= 0 && entries[0].revents != 0) {
        read_input();
    }
    if (entries[1].fd >= 0 && (entries[1].revents & POLLOUT) != 0) {
        write_pending(master_.get(), to_master_, kBufferSize);
    }
    if (entries[1].fd >= 0 && (entries[1].revents & (POLLIN | POLLHUP | POLLERR)) != 0) {
        read_master();
    }
    if (entries[2].fd >= 0 && entries[2].revents != 0) {
        // The caller's terminal is shared, so it stays blocking: small pieces keep us listening to signals.
        constexpr std::size_t kPiece = 1024;
        write_pending(STDOUT_FILENO, to_output_, kPiece);
    }
}

void Relay::read_input() {
    char buffer[4096];
    const ssize_t count = ::read(STDIN_FILENO, buffer, sizeof buffer);
    if (count > 0) {
        to_master_.insert(to_master_.end(), buffer, buffer + count);
    } else if (count < 0 && (errno == EINTR || errno == EAGAIN)) {
        return;
    } else if (count < 0 && errno == EIO && caller_) {
        raw_ = false; // no longer in the foreground; SIGCONT calls resume()
    } else {
        input_open_ = false;
        // What a person types to end the input.
        to_master_.push_back(static_cast<char>(caller_ ? caller_->modes.c_cc[VEOF] : 4));
    }
}

void Relay::read_master() {
    char buffer[4096];
    const ssize_t count = ::read(master_.get(), buffer, sizeof buffer);
    if (count > 0) {
        to_output_.insert(to_output_.end(), buffer, buffer + count);
    } else if (count == 0 || (errno != EAGAIN && errno != EINTR)) {
        hung_up_ = true; // EIO: nobody has the other end open any more
    }
}

void Relay::write_pending(int descriptor, std::vector<char>& pending, std::size_t most) {
    const ssize_t count = ::write(descriptor, pending.data(), std::min(pending.size(), most));
    if (count > 0) {
        pending.erase(pending.begin(), pending.begin() + count);
    } else if (count < 0 && errno != EAGAIN && errno != EINTR) {
        pending.clear(); // the reader has gone; CMD learns of its own terminal's end elsewhere
    }
}

} // namespace sandbox::terminal
