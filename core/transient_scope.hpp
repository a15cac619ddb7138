// A scope of the user's own systemd, for processes that run already: org.freedesktop.systemd1(5), StartTransientUnit.
#pragma once

#include <sys/types.h>

#include <memory>
#include <string>
#include <vector>

namespace sandbox {

/// Asks for a transient scope with Delegate=yes. systemd takes it away when its last process has ended.
class TransientScope {
public:
    /// Connects and sends the request; does not wait for what systemd does about it, nor for a bus that is slow.
    /// \param bus the address of the user's bus. \param unit a valid name that ends with ".scope".
    /// \throws Error where libsystemd is not installed or the bus cannot be reached.
    TransientScope(const std::string& bus, std::string unit, const std::string& description,
                   const std::vector<pid_t>& processes);
    ~TransientScope();
    TransientScope(const TransientScope&) = delete;
    TransientScope& operator=(const TransientScope&) = delete;

    /// Waits until the scope is there and the processes are in it.
    /// \return false where SIGINT, SIGTERM, SIGHUP or SIGQUIT, all of them blocked, came before that; it is not read.
    /// \throws Error with what systemd said, or that it said nothing.
    [[nodiscard]] bool wait();

private:
    friend void attach_to_scope(const std::string& bus, const std::string& unit, const std::string& below,
                                pid_t process);
    struct Connection;
    std::unique_ptr<Connection> connection_;
};

/// Asks the systemd at `bus` to move `process`, which has the caller's uid, to the cgroup `below` ("/name") of `unit`,
/// a scope that it delegated to the caller, and waits for its answer: AttachProcessesToUnit. \throws Error with what
/// systemd said, or that it said nothing.
void attach_to_scope(const std::string& bus, const std::string& unit, const std::string& below, pid_t process);

} // namespace sandbox
