#include "core/terminal.hpp"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <iterator>

#include "core/base/error.hpp"

namespace sandbox::terminal {

namespace {

constexpr std::size_t kBufferSize = std::size_t{16} * 1024;
/// The caller's terminal is shared, so it stays blocking: small pieces keep us listening to signals.
constexpr std::size_t kPiece = 1024;

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

std::optional<State> state_for(const ProcessPlan& process) {
    if (process.terminal) {
        return read_state(STDIN_FILENO);
    }
    std::optional<State> state = read_state(STDOUT_FILENO);
    if (!state) {
        state = read_state(STDERR_FILENO);
    }
    return state ? std::optional(without_output_processing(*state)) : std::nullopt;
}

Guard::Guard(bool shared) : shared_(shared) {
    for (const int descriptor : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
        if (const std::optional<State> state = read_state(descriptor)) {
            // A copy, because the run lets go of its own standard streams.
            terminal_.reset(::fcntl(descriptor, F_DUPFD_CLOEXEC, 3));
            if (!terminal_) {
                throw Error("cannot keep hold of your terminal").kernel(errno);
            }
            flags_ = ::fcntl(descriptor, F_GETFL);
            state_ = *state;
            return;
        }
    }
}

Guard::~Guard() {
    if (terminal_ && shared_) {
        // O_NONBLOCK left behind would make the shell's next read(2) fail.
        ::fcntl(terminal_.get(), F_SETFL, flags_);
    }
    const std::optional<State> now = terminal_ ? read_state(terminal_.get()) : std::nullopt;
    // In the background the terminal belongs to somebody else, who may have changed it with good reason.
    if (!now || !in_foreground(terminal_.get())) {
        return;
    }
    if (!same(now->modes, state_.modes)) {
        ::tcsetattr(terminal_.get(), TCSADRAIN, &state_.modes);
    }
    if (!shared_) {
        return;
    }
    // CMD had the terminal itself: it may have stopped the output, kept others from opening it, or changed its size.
    ::tcflow(terminal_.get(), TCOON);
    ::ioctl(terminal_.get(), TIOCNXCL);
    if (!same(now->size, state_.size)) {
        ::ioctl(terminal_.get(), TIOCSWINSZ, &state_.size);
    }
}

State without_output_processing(State state) {
    state.modes.c_oflag &= ~static_cast<tcflag_t>(OPOST);
    return state;
}

Relay::Relay(Fd master, Direction direction)
    : master_(std::move(master)),
      output_(direction == Direction::both || ::isatty(STDOUT_FILENO) == 1 ? STDOUT_FILENO : STDERR_FILENO),
      caller_(direction == Direction::both ? read_state(STDIN_FILENO) : std::nullopt),
      input_open_(direction == Direction::both) {
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
    const std::optional<State> now = read_state(caller_ ? STDIN_FILENO : output_);
    if (now) {
        ::ioctl(master_.get(), TIOCSWINSZ, &now->size);
    }
}

void Relay::watch(pollfd* entries) const {
    const bool may_read = input_open_ && !hung_up_ && to_master_.size() < kBufferSize && (!caller_ || raw_);
    // Of the caller's terminal we want to hear that it hangs up, also when there is no room for what is typed.
    const bool listens = may_read || (caller_ && input_open_ && !hung_up_);
    entries[0] = {listens ? STDIN_FILENO : -1, static_cast<short>(may_read ? POLLIN : 0), 0};
    short wanted = 0;
    wanted = static_cast<short>(to_output_.size() < kBufferSize ? POLLIN : 0);
    wanted = static_cast<short>(wanted | (to_master_.empty() ? 0 : POLLOUT));
    entries[1] = {hung_up_ || wanted == 0 ? -1 : master_.get(), wanted, 0};
    entries[2] = {to_output_.empty() ? -1 : output_, POLLOUT, 0};
}

void Relay::serve(const pollfd* entries) {
    if (entries[0].fd >= 0 && caller_ && (entries[0].revents & POLLHUP) != 0) {
        close_master(); // the window was closed
        return;
    }
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
        write_pending(output_, to_output_, kPiece);
    }
}

void Relay::finish(const Signals& signals) {
    hang_up();
    while (pass_on()) {
        pollfd watched[] = {{output_, POLLOUT, 0}, {signals.descriptor(), POLLIN, 0}};
        ::poll(watched, std::size(watched), -1);
        const std::optional<signalfd_siginfo> signal = signals.next();
        if (signal && asks_to_end(static_cast<int>(signal->ssi_signo))) {
            return;
        }
    }
}

/// Takes what is left, without waiting.
void Relay::hang_up() {
    constexpr std::size_t kMost = std::size_t{256} * 1024; // a pty's buffers hold a quarter of it
    std::size_t before = to_output_.size() + 1;
    while (!hung_up_ && to_output_.size() != before && to_output_.size() < kMost) {
        before = to_output_.size();
        read_master();
    }
    close_master();
}

/// CMD's terminal hangs up, and the kernel sends CMD SIGHUP.
void Relay::close_master() {
    master_.reset();
    hung_up_ = true;
}

/// A piece, where there is room for it. \return whether more is left.
bool Relay::pass_on() {
    pollfd room{output_, POLLOUT, 0};
    if (!to_output_.empty() && ::poll(&room, 1, 0) > 0) {
        write_pending(output_, to_output_, kPiece);
    }
    return !to_output_.empty();
}

void Relay::read_input() {
    char buffer[4096];
    const ssize_t count = ::read(STDIN_FILENO, buffer, sizeof buffer);
    if (count > 0) {
        to_master_.insert(to_master_.end(), buffer, buffer + count);
    } else if (count < 0 && (errno == EINTR || errno == EAGAIN)) {
        return;
    } else if (count < 0 && errno == EIO && caller_) {
        raw_ = false; // no longer in the foreground; whoever waits calls resume()
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
        pending.clear();
        close_master(); // nobody reads any more
    }
}

} // namespace sandbox::terminal
