// A process that lives beside the sandbox: in its user namespace, where it may work on what is the sandbox's, but in
// the host's pid namespace, where CMD can neither see nor signal it.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "core/base/child_process.hpp"
#include "core/base/fd.hpp"

namespace sandbox {

/// Where a companion stands.
struct Surroundings {
    int user_namespace = -1;
    int net_namespace = -1;    ///< -1: the host's
    bool becomes_root = false; ///< takes uid and gid 0 of the user namespace, which must be mapped
};

/// A program, started with exactly these words, no environment, default signals, a session of its own (no key of the
/// terminal reaches it), every capability in the user namespace, and no descriptor but /dev/null twice, a pipe to us as
/// standard error, and what it was given. It is killed when the object goes, or the process that made it.
class Companion {
public:
    /// Makes the process, which waits for `start`: until then it is the caller's, and can be moved into a cgroup.
    /// `arguments[0]` is an absolute path; the program finds `descriptors` open as 3, 4 and so on.
    /// \throws Error where no process can be made.
    explicit Companion(const std::vector<std::string>& arguments, std::span<const int> descriptors = {});
    /// Both at once.
    Companion(const std::vector<std::string>& arguments, const Surroundings& surroundings,
              std::span<const int> descriptors)
        : Companion(arguments) {
        start(surroundings, descriptors);
    }

    /// Lets it enter `surroundings` and execute the program, with `descriptors` (at most kMostLate) behind those that
    /// it has. \throws Error where it cannot be executed.
    void start(const Surroundings& surroundings, std::span<const int> descriptors);
    static constexpr std::size_t kMostLate = 8;

    [[nodiscard]] const ChildProcess& process() const { return process_; }
    [[nodiscard]] int errors() const { return errors_.get(); }

    /// Reads what it says on standard error, so that it never waits for us. \return false at the stream's end.
    bool drain();
    /// Reads that stream to its end and reaps the process.
    [[nodiscard]] HelperResult finish();

private:
    std::string program_;
    Fd orders_;  ///< where it waits
    Fd failure_; ///< where it says why it was not executed
    Fd errors_;
    ChildProcess process_;
    std::string said_;
};

/// Enters the namespaces and asks to be killed with `parent`. Plain code, for a process just cloned.
/// \return 0, or -1 and errno.
[[nodiscard]] int enter_surroundings(const Surroundings& surroundings, pid_t parent);

/// Gives up every capability for good, as far as execve is not called. Plain code. \return 0, or -1 and errno.
[[nodiscard]] int drop_all_capabilities();

} // namespace sandbox
