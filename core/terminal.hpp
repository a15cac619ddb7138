// Terminals: the sandbox's own pty, the copying between it and the caller's terminal, and the caller's terminal put back.
#pragma once

#include <poll.h>
#include <sys/ioctl.h>
#include <termios.h>

#include <cstddef>
#include <optional>
#include <vector>

#include "core/base/fd.hpp"
#include "core/base/step.hpp"

namespace sandbox::terminal {

/// Modes and size of a terminal.
struct State {
    termios modes{};
    winsize size{};
};

/// The state of the terminal at `descriptor`; nothing where it is no terminal.
[[nodiscard]] std::optional<State> read_state(int descriptor);

/// Remembers the caller's terminal (whichever of descriptors 0 to 2 is one) and puts its modes back at the end of the
/// scope, if this process is still in its foreground and something changed.
class Guard {
public:
    /// `size_too`: CMD has the terminal itself and could change its size as well. With a pty in between it cannot, and a new
    /// size is the person's own doing.
    explicit Guard(bool size_too);
    Guard(const Guard&) = delete;
    Guard& operator=(const Guard&) = delete;
    ~Guard();

private:
    int descriptor_ = -1;
    bool size_too_;
    State state_;
};

/// The child's side: opens a pty of the sandbox's own /dev/pts, in the state `like`, sends its master over `control` and
/// returns the other end. Before: the new root is entered and the ids are final. Plain code; leaves through `failure`.
[[nodiscard]] Fd open_own(const std::optional<State>& like, int control, const FailurePipe& failure);

/// The child's side: makes `terminal` the controlling terminal of this session and its standard streams: whichever of the
/// caller's three is a terminal, or all of them where none is.
/// \return 0, or -1 and errno.
[[nodiscard]] int take_control(const Fd& terminal);

/// The supervisor's side: copies between the caller's descriptors 0 and 1 and the pty's master. The caller's terminal is raw
/// while this is in its foreground.
class Relay {
public:
    /// Takes over `master`. Standard input need not be a terminal.
    explicit Relay(Fd master);
    Relay(const Relay&) = delete;
    Relay& operator=(const Relay&) = delete;
    ~Relay();

    /// Gives the caller's terminal its modes back: before this process stops itself.
    void suspend();
    /// Raw again, where this process is in the foreground; the size may have changed meanwhile.
    void resume();
    /// True while the caller's terminal belongs to another job. A shell's fg tells a job that was not stopped nothing, so
    /// whoever waits calls `resume` now and then.
    [[nodiscard]] bool in_background() const { return caller_.has_value() && !raw_; }
    /// SIGWINCH: passes the size on.
    void copy_size();

    /// What poll(2) should wait for now: three entries (standard input, master, standard output), -1 where nothing is wanted.
    static constexpr std::size_t kWatched = 3;
    void watch(pollfd* entries) const;
    /// Copies what those entries say is possible.
    void serve(const pollfd* entries);
    /// True when the other end is closed and everything it wrote has been passed on.
    [[nodiscard]] bool finished() const { return hung_up_ && to_output_.empty(); }

private:
    void read_input();
    void read_master();
    void write_pending(int descriptor, std::vector<char>& pending, std::size_t most);

    Fd master_;
    std::optional<State> caller_;
    bool raw_ = false;
    bool input_open_ = true;
    bool hung_up_ = false;
    std::vector<char> to_master_;
    std::vector<char> to_output_;
};

} // namespace sandbox::terminal
