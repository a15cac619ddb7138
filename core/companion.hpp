// A process that lives beside the sandbox: in its user namespace, where it may work on what is the sandbox's, but in
// the host's pid namespace, where CMD can neither see nor signal it.
#pragma once

#include <unistd.h>

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/base/child_process.hpp"
#include "core/base/fd.hpp"

namespace sandbox {

/// Ids of the user namespace.
struct NamespaceIds {
    uid_t uid = 0;
    gid_t gid = 0;
};

/// Where a companion stands.
struct Surroundings {
    int user_namespace = -1;
    int net_namespace = -1;                             ///< -1: the host's
    std::optional<NamespaceIds> becomes = std::nullopt; ///< which must be mapped; nothing: it stays who the caller is
    /// It sees the system's programs and nothing else of the host, no process but those that it starts, which end with
    /// it, and has no capability but over the network: core/confinement.hpp.
    bool is_confined = false;
};

/// What a companion reads and says.
struct Streams {
    int input = -1;             ///< becomes standard input; -1: /dev/null
    int output = STDERR_FILENO; ///< the one of its two streams that we read; the other is /dev/null
};

/// A program, started with exactly these words, no environment, default signals, a session of its own (no key of the
/// terminal reaches it), every capability in the user namespace unless it is confined, and no descriptor but the
/// standard three and what it was given. It is killed when the object goes, or the process that made it.
class Companion {
public:
    /// Makes the process, which waits for `start`: until then it is the caller's, and can be moved into a cgroup.
    /// `arguments[0]` is an absolute path; the program finds `descriptors` open as 3, 4 and so on.
    /// \throws Error where no process can be made.
    explicit Companion(const std::vector<std::string>& arguments, std::span<const int> descriptors = {},
                       const Streams& streams = {});
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
    [[nodiscard]] int output() const { return output_.get(); }

    /// Reads what it says, so that it never waits for us. \return false at the stream's end.
    bool drain();
    /// What it has said since the last call: drained without waiting, and cut at a MiB.
    [[nodiscard]] std::string take_said();
    /// Reads that stream to its end and reaps the process.
    [[nodiscard]] HelperResult finish();

private:
    std::string program_;
    Fd orders_;  ///< where it waits
    Fd failure_; ///< where it says why it was not executed
    Fd output_;
    ChildProcess process_;
    std::string said_;
};

/// Enters the namespaces and asks to be killed with `parent`. Plain code, for a process just cloned.
/// \return 0, or -1 and errno.
[[nodiscard]] int enter_surroundings(const Surroundings& surroundings, pid_t parent);

/// Gives up every capability for good, as far as execve is not called. Plain code. \return 0, or -1 and errno.
[[nodiscard]] int drop_all_capabilities();

} // namespace sandbox
