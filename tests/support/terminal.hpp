// A person at a terminal: a pseudo-terminal, a program on it, keys, and what the screen shows.
#pragma once

#include <sys/types.h>
#include <termios.h>

#include <chrono>
#include <string>
#include <string_view>

#include "core/base/fd.hpp"
#include "tests/support/process.hpp"

namespace sandbox::test {

/// A program that has a pseudo-terminal as its controlling terminal. Killed with its session when the scope ends.
class Terminal {
public:
    Terminal(const std::vector<std::string>& arguments, const Options& options, unsigned short rows = 24,
             unsigned short columns = 80);
    Terminal(const Terminal&) = delete;
    Terminal& operator=(const Terminal&) = delete;
    ~Terminal();

    [[nodiscard]] pid_t pid() const { return pid_; }
    /// Types `keys` as a person does.
    void type(std::string_view keys) const;
    /// Changes the window's size, which sends SIGWINCH to the foreground process group.
    void resize(unsigned short rows, unsigned short columns) const;
    /// Waits until the screen shows `text` after what `see` saw last. False where it does not come in time.
    [[nodiscard]] bool see(std::string_view text, std::chrono::seconds patience = std::chrono::seconds(20));
    /// What the screen shows after what `see` saw last, once it has been quiet for a moment.
    [[nodiscard]] std::string rest(std::chrono::milliseconds quiet = std::chrono::milliseconds(400));
    /// All that the screen has shown.
    [[nodiscard]] const std::string& screen() const { return screen_; }
    /// The terminal's modes now.
    [[nodiscard]] termios modes() const;
    /// The foreground process group.
    [[nodiscard]] pid_t foreground() const;
    /// Waits for the program's end: its exit status, or 128 + N; -1 where it does not end in time.
    [[nodiscard]] int wait(std::chrono::seconds patience = std::chrono::seconds(20));
    /// Whether the program is stopped (WUNTRACED) within the time.
    [[nodiscard]] bool stopped(std::chrono::seconds patience = std::chrono::seconds(10)) const;

private:
    void drain(std::chrono::milliseconds patience);

    Fd master_;
    Fd slave_; ///< kept open so that the terminal outlives the program
    pid_t pid_ = -1;
    std::string screen_;
    std::size_t seen_ = 0;
    bool reaped_ = false;
    int status_ = -1;
};

} // namespace sandbox::test
