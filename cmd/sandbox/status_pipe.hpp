// `--status-fd`: one JSON object a line for the program that started us, so that our failures and CMD's are never
// confused.
#pragma once

#include <sys/types.h>

#include <string>

#include "core/base/error.hpp"
#include "core/base/message.hpp"
#include "netns/listeners.hpp"

namespace sandbox {

/// Writes the records; does nothing where no descriptor was given. A reader that has gone is no failure of the run.
class StatusPipe {
public:
    /// `descriptor` is -1 for none; it stays the caller's. `name` is the sandbox's, empty for none.
    StatusPipe(int descriptor, std::string name) : descriptor_(descriptor), name_(std::move(name)) {}

    [[nodiscard]] bool wanted() const { return descriptor_ >= 0; }

    // The fields: sandbox(1), STATUS RECORDS.

    /// CMD has been executed. Both pids are as the caller sees them.
    void started(pid_t command, pid_t init, const NamespaceInodes& namespaces,
                 const std::vector<netns::Listener>& published) const;
    /// Before `started`: CMD has not run. After it: CMD was ended, because it could no longer be watched.
    void failed(const Error& error) const;
    /// \param status the exit status of sandbox. \param reason "exit", "signal", "timeout", "oom" or "killed".
    /// \param usage the JSON object of --stats; empty: not asked for.
    void ended(int status, int signal, const char* reason, const std::string& usage) const;

private:
    void write(std::string line) const;

    int descriptor_;
    std::string name_;
};

} // namespace sandbox
