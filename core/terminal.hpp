// The caller's terminal, the supervisor's side: its state kept, and the copying between it and the sandbox's own pty.
#pragma once

#include <poll.h>
#include <sys/ioctl.h>
#include <termios.h>

#include <cstddef>
#include <optional>
#include <vector>

#include "core/base/fd.hpp"
#include "core/plan/plan.hpp"
#include "core/signals.hpp"

namespace sandbox::terminal {

/// Modes and size of a terminal.
struct State {
    termios modes{};
    winsize size{};
};

/// The state for a pty whose output goes on to a terminal that is not raw: the latter alone turns "\n" into "\r\n".
[[nodiscard]] State without_output_processing(State state);

/// The state of the terminal at `descriptor`; nothing where it is no terminal.
[[nodiscard]] std::optional<State> read_state(int descriptor);

/// What the sandbox's own terminal is to look like: as the caller's does.
[[nodiscard]] std::optional<State> state_for(const ProcessPlan& process);

/// Remembers the caller's terminal (whichever of descriptors 0 to 2 is one) and puts its modes back at the end of the
/// scope, if this process is still in its foreground and something changed.
class Guard {
public:
    /// `shared`: CMD has the terminal itself and could change its size and stop its output as well. With a pty in
    /// between it cannot, and a new size is the person's own doing.
    explicit Guard(bool shared);
    Guard(const Guard&) = delete;
    Guard& operator=(const Guard&) = delete;
    ~Guard();

private:
    Fd terminal_;
    bool shared_;
    int flags_ = 0; ///< of the open file that the caller shares with CMD: F_GETFL
    State state_;
};

/// The supervisor's side: copies between the caller's descriptors 0 and 1 and the pty's master. The caller's terminal
/// is raw while this is in its foreground.
class Relay {
public:
    enum class Direction { both, output };

    /// Takes over `master`. Standard input need not be a terminal. With Direction::output nothing is read from the
    /// caller, whose terminal keeps its modes.
    Relay(Fd master, Direction direction);
    Relay(const Relay&) = delete;
    Relay& operator=(const Relay&) = delete;
    ~Relay();

    /// Gives the caller's terminal its modes back: before this process stops itself.
    void suspend();
    /// Raw again, where this process is in the foreground; the size may have changed meanwhile.
    void resume();
    /// True while the caller's terminal belongs to another job. A shell's fg tells a job that was not stopped nothing,
    /// so whoever waits calls `resume` now and then.
    [[nodiscard]] bool in_background() const { return caller_.has_value() && !raw_; }
    /// SIGWINCH: passes the size on.
    void copy_size();

    /// What poll(2) should wait for now: three entries (standard input, master, standard output), -1 where nothing is
    /// wanted.
    static constexpr std::size_t kWatched = 3;
    void watch(pollfd* entries) const;
    /// Copies what those entries say is possible.
    void serve(const pollfd* entries);
    /// After the end of CMD: lets go of the pty, and passes on what was written last. It waits as CMD itself would for
    /// a terminal that takes nothing, and a signal that asks to end ends it. A process outside to which CMD passed its
    /// terminal can hold nothing up.
    void finish(const Signals& signals);

private:
    void hang_up();
    [[nodiscard]] bool pass_on();
    void close_master();
    void read_input();
    void read_master();
    void write_pending(int descriptor, std::vector<char>& pending, std::size_t most);

    Fd master_;
    int output_;                  ///< the descriptor that CMD's output goes to
    std::optional<State> caller_; ///< the terminal that input is read from
    bool raw_ = false;
    bool input_open_ = true;
    bool hung_up_ = false;
    std::vector<char> to_master_;
    std::vector<char> to_output_;
};

} // namespace sandbox::terminal
