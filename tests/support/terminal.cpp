#include "tests/support/terminal.hpp"

#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <stdexcept>
#include <thread>

namespace sandbox::test {

using Clock = std::chrono::steady_clock;

Terminal::Terminal(const std::vector<std::string>& arguments, const Options& options, unsigned short rows,
                   unsigned short columns) {
    int master = -1;
    int slave = -1;
    winsize size{};
    size.ws_row = rows;
    size.ws_col = columns;
    std::array<char, 64> name{};
    if (::openpty(&master, &slave, name.data(), nullptr, &size) != 0) {
        throw std::runtime_error("openpty failed");
    }
    master_.reset(master);
    slave_.reset(slave);
    ::fcntl(master, F_SETFD, FD_CLOEXEC);
    ::fcntl(slave, F_SETFD, FD_CLOEXEC);
    const User& who = options.as != nullptr ? *options.as : user();
    // A login program gives the terminal to its user.
    if (started_by_root() && ::fchown(slave, who.uid, who.gid) != 0) {
        throw std::runtime_error("cannot chown the terminal");
    }
    pid_ = ::fork();
    if (pid_ == 0) {
        try {
            ::setsid();
            ::ioctl(slave, TIOCSCTTY, 0);
            ::dup2(slave, 0);
            ::dup2(slave, 1);
            ::dup2(slave, 2);
            ::close_range(3, ~0U, 0);
            exec_as(arguments, options);
        } catch (...) {
            ::_exit(96);
        }
    }
    ::fcntl(master, F_SETFL, O_NONBLOCK);
}

Terminal::~Terminal() {
    if (!reaped_) {
        ::kill(-pid_, SIGKILL);
        ::kill(pid_, SIGKILL);
        ::waitpid(pid_, nullptr, 0);
    }
}

void Terminal::type(std::string_view keys) const {
    for (std::size_t done = 0; done < keys.size();) {
        const ssize_t count = ::write(master_.get(), keys.data() + done, keys.size() - done);
        if (count <= 0) {
            std::this_thread::sleep_for(std::chrono::milliseconds(5));
            continue;
        }
        done += static_cast<std::size_t>(count);
    }
}

void Terminal::resize(unsigned short rows, unsigned short columns) const {
    winsize size{};
    size.ws_row = rows;
    size.ws_col = columns;
    ::ioctl(master_.get(), TIOCSWINSZ, &size);
}

void Terminal::drain(std::chrono::milliseconds patience) {
    pollfd polled{master_.get(), POLLIN, 0};
    if (::poll(&polled, 1, static_cast<int>(patience.count())) <= 0) {
        return;
    }
    std::array<char, 65536> buffer; // NOLINT(cppcoreguidelines-pro-type-member-init): filled by read
    const ssize_t count = ::read(master_.get(), buffer.data(), buffer.size());
    if (count > 0) {
        screen_.append(buffer.data(), static_cast<std::size_t>(count));
    }
}

bool Terminal::see(std::string_view text, std::chrono::seconds patience) {
    const auto deadline = Clock::now() + patience;
    for (;;) {
        const std::size_t found = screen_.find(text, seen_);
        if (found != std::string::npos) {
            seen_ = found + text.size();
            return true;
        }
        if (Clock::now() > deadline) {
            return false;
        }
        drain(std::chrono::milliseconds(50));
    }
}

std::string Terminal::rest(std::chrono::milliseconds quiet) {
    std::size_t before = 0;
    do {
        before = screen_.size();
        drain(quiet);
    } while (screen_.size() != before);
    std::string text = screen_.substr(seen_);
    seen_ = screen_.size();
    return text;
}

termios Terminal::modes() const {
    termios modes{};
    ::tcgetattr(slave_.get(), &modes);
    return modes;
}

pid_t Terminal::foreground() const {
    pid_t group = -1;
    ::ioctl(master_.get(), TIOCGPGRP, &group);
    return group;
}

int Terminal::wait(std::chrono::seconds patience) {
    const auto deadline = Clock::now() + patience;
    while (!reaped_ && Clock::now() < deadline) {
        int status = 0;
        if (::waitpid(pid_, &status, WNOHANG) == pid_) {
            reaped_ = true;
            status_ = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
            break;
        }
        drain(std::chrono::milliseconds(20));
    }
    return reaped_ ? status_ : -1;
}

bool Terminal::stopped(std::chrono::seconds patience) const {
    const auto deadline = Clock::now() + patience;
    while (Clock::now() < deadline) {
        siginfo_t info{};
        if (::waitid(P_PID, static_cast<id_t>(pid_), &info, WSTOPPED | WNOHANG | WNOWAIT) == 0 && info.si_pid == pid_) {
            return true;
        }
        std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    return false;
}

} // namespace sandbox::test
