// `--status-fd`: one JSON object a line for the program that started us, so that our failures and CMD's are never
// confused.
#pragma once

#include <sys/types.h>

#include <array>
#include <string>

#include "cmd/sandbox/outcome.hpp"
#include "core/base/error.hpp"
#include "core/base/message.hpp"
#include "netns/listeners.hpp"

namespace sandbox {

/// Writes the records; does nothing where no descriptor was given. A reader that has gone is no failure of the run.
class StatusPipe {
public:
    /// `descriptor` is -1 for none; it stays the caller's. \param starter whoever waits for the start of a detached
    /// run; -1: nobody does.
    explicit StatusPipe(int descriptor, int starter = -1) : descriptors_{descriptor, starter} {}

    [[nodiscard]] bool wanted() const { return descriptors_[0] >= 0 || descriptors_[1] >= 0; }

    // The fields: sandbox(1), STATUS RECORDS.

    /// CMD has been executed. Both pids are as the caller sees them. `name` is the run's; empty where it is not
    /// recorded.
    void started(pid_t command, pid_t init, const NamespaceInodes& namespaces,
                 const std::vector<netns::Listener>& published, const std::string& name) const;
    /// Before `started`: CMD has not run. After it: CMD was ended, because it could no longer be watched.
    void failed(const Error& error) const;
    /// \param usage the JSON object of --stats; empty: not asked for.
    void ended(const Outcome& outcome, const std::string& usage) const;

private:
    void write(std::string line) const;

    std::array<int, 2> descriptors_;
};

/// The record of a run's end. \param usage as above.
[[nodiscard]] std::string ended_record(const Outcome& outcome, const std::string& usage);

/// The same where CMD has ended, and sandbox failed behind it.
[[nodiscard]] std::string failed_end_record(const Error& error);

} // namespace sandbox
