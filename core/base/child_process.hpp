// Owned child processes, and helper programs started with fixed words and a clean environment.
#pragma once

#include <sys/resource.h>
#include <sys/types.h>
#include <unistd.h>

#include <string>
#include <vector>

#include "core/base/fd.hpp"

namespace sandbox {

/// Owns a child: where the scope ends without `wait`, it is killed and reaped.
class ChildProcess {
public:
    ChildProcess() = default;
    /// Takes over `pid`, a child of this process that nobody has waited for, and its pidfd.
    ChildProcess(pid_t pid, Fd pidfd) : pid_(pid), pidfd_(std::move(pidfd)) {}
    ChildProcess(ChildProcess&& other) noexcept;
    ChildProcess& operator=(ChildProcess&& other) noexcept;
    ChildProcess(const ChildProcess&) = delete;
    ChildProcess& operator=(const ChildProcess&) = delete;
    ~ChildProcess();

    [[nodiscard]] pid_t pid() const { return pid_; }
    [[nodiscard]] int pidfd() const { return pidfd_.get(); }

    /// By pidfd, so never to a stranger who got the number.
    void kill(int signal) const;
    [[nodiscard]] bool has_ended() const;
    /// Waits for the end and reaps. \param used where given, what it and those that it waited for used: wait4(2).
    /// \return wait(2)'s status.
    int wait(rusage* used = nullptr);

private:
    pid_t pid_ = -1; ///< -1: nothing to wait for
    Fd pidfd_;
};

/// What a helper program said before it ended.
struct HelperResult {
    int status = 0;   ///< wait(2)'s status
    std::string said; ///< the stream that was asked for, cut at 64 KiB
};

/// Why it ended, as a cause: what it said on one line, safe to print, else its signal or status.
[[nodiscard]] std::string last_words(const HelperResult& result);

/// The same for one that did its work until then: a signal says more than what it had to say while all was well.
[[nodiscard]] std::string how_it_ended(const HelperResult& result);

/// A helper that runs while we do something else.
class Helper {
public:
    /// Starts `arguments[0]` (an absolute path) with exactly these words, default signals and no descriptor but the
    /// standard three: `stream` (STDOUT_FILENO or STDERR_FILENO) is read by us, the others are /dev/null.
    /// \param environment as execve(2) takes it; null: an empty one.
    /// \throws Error where it cannot be executed.
    explicit Helper(const std::vector<std::string>& arguments, int stream = STDERR_FILENO,
                    char* const* environment = nullptr);

    /// Reads its stream to the end and reaps it.
    [[nodiscard]] HelperResult finish();

private:
    Fd stream_;
    ChildProcess process_;
};

} // namespace sandbox
