// Runs a program as a user of the machine and tells what came of it.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/fd.hpp"
#include "tests/support/users.hpp"

namespace sandbox::test {

/// How a program is started. The defaults give a clean process of the test user.
struct Options {
    std::string input;            ///< what it reads on standard input, then end of file
    bool keep_input_open = false; ///< standard input stays open until Process::close_input
    bool no_input = false;        ///< standard input is closed before the program starts
    std::map<std::string, std::optional<std::string>> environment; ///< added to the clean one; nullopt takes away
    std::filesystem::path cwd;                                     ///< empty: "/"
    const User* as = nullptr;                                      ///< null: user()
    std::vector<int> descriptors;      ///< of this process, that the program inherits under their own numbers
    bool own_session = true;           ///< setsid: no terminal, no process group shared with the tests
    std::function<void()> before_user; ///< runs in the child, still with the tests' own privilege
    std::function<void()> before_exec; ///< runs in the child as the user, last
    std::chrono::seconds watchdog{90}; ///< a program that has not ended by then hangs: it is killed and the test fails
};

/// What came of a program.
struct Result {
    int status = -1; ///< its exit status; 128 + N when signal N ended it, as a shell has it
    bool signaled = false;
    bool hung = false; ///< the watchdog ended it, or something kept its output open after its end
    std::string out;
    std::string err;

    [[nodiscard]] bool said(std::string_view text) const { return err.find(text) != std::string::npos; }
    [[nodiscard]] bool printed(std::string_view text) const { return out.find(text) != std::string::npos; }
};

/// A running program. Killed and reaped when the scope ends.
class Process {
public:
    Process(const std::vector<std::string>& arguments, const Options& options);
    Process(Process&& other) noexcept;
    Process& operator=(Process&&) = delete;
    ~Process();

    [[nodiscard]] pid_t pid() const { return pid_; }
    void signal(int number) const;
    void write(std::string_view text);
    void close_input() { input_.reset(); }

    /// Reads until standard output (or error) holds `text`. False where the program ended, or the watchdog did.
    [[nodiscard]] bool wait_for(std::string_view text);
    /// What was read so far.
    [[nodiscard]] const Result& so_far() const { return result_; }
    /// Waits for the end.
    Result finish();

private:
    bool pump(std::chrono::milliseconds patience);
    bool reap(bool block);

    pid_t pid_ = -1;
    Fd input_;
    Fd output_;
    Fd error_;
    std::string pending_input_;
    bool keep_input_open_ = false;
    std::chrono::steady_clock::time_point deadline_;
    Result result_;
    bool reaped_ = false;
};

/// Starts a program and waits for its end.
Result run(const std::vector<std::string>& arguments, const Options& options = {});

/// The environment a program gets: PATH, HOME, USER, LOGNAME, LANG, TERM, XDG_RUNTIME_DIR where there is one.
[[nodiscard]] std::map<std::string, std::string> clean_environment(const User& who);

/// For a forked child: options' environment and directory, the user, the hooks, then exec. Never returns.
[[noreturn]] void exec_as(const std::vector<std::string>& arguments, const Options& options);

} // namespace sandbox::test
