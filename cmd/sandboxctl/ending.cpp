#include "cmd/sandboxctl/ending.hpp"

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <limits>
#include <optional>
#include <utility>

#include "cmd/sandboxctl/runs.hpp"
#include "core/base/error.hpp"
#include "core/base/sys.hpp"
#include "core/cgroup.hpp"
#include "core/process_identity.hpp"

namespace sandbox::ctl {

namespace {

/// \param milliseconds below 0: for as long as it takes.
bool has_ended(const Fd& process, int milliseconds) {
    pollfd watched{.fd = process.get(), .events = POLLIN, .revents = 0};
    return !process || ::poll(&watched, 1, milliseconds) > 0;
}

/// A process that has ended meanwhile is no failure.
void signal(const Fd& process, int number) {
    if (process) {
        sys::pidfd_send_signal(process.get(), number);
    }
}

/// Opened while the entry is locked: its record is true then, and pid 1 the supervisor's child.
Fd open_init(const FoundRun& run, const RunRecord& record) {
    Fd init = open_process(record.init);
    const std::optional<ProcessIdentity> supervisor = supervisor_of(run);
    const bool is_its_child = supervisor && parent_of(record.init.pid) == supervisor->pid;
    return is_its_child && is_alive(run) ? std::move(init) : Fd();
}

} // namespace

Ending::Ending(std::string registry, FoundRun run)
    : registry_(std::move(registry)), run_(std::move(run)), supervisor_(open_supervisor(run_)) {}

void Ending::pass_on(int number) const {
    signal(supervisor_, number);
}

void Ending::let_continue() const {
    signal(supervisor_, SIGCONT);
}

void Ending::kill_tree() const {
    if (has_ended(supervisor_, 0)) {
        return;
    }
    const std::optional<RunRecord> record = record_of(run_);
    if (!record) {
        return kill_supervisor();
    }
    const Fd init = open_init(run_, *record);
    const bool is_killed = !record->cgroup.empty() && init && cgroup::write(record->cgroup, "cgroup.kill", "1");
    if (!is_killed) {
        signal(init, SIGKILL);
    }
    let_continue(); // it may be stopped, and has to see to the rest
}

void Ending::kill_supervisor() const {
    signal(supervisor_, SIGKILL);
}

bool Ending::wait_until(Clock::time_point deadline) const {
    using std::chrono::milliseconds;
    for (;;) {
        const auto left = std::chrono::ceil<milliseconds>(deadline - Clock::now()).count();
        constexpr auto kMost = milliseconds::rep{std::numeric_limits<int>::max()};
        if (has_ended(supervisor_, static_cast<int>(std::clamp(left, milliseconds::rep{0}, kMost)))) {
            return true;
        }
        if (left <= 0) {
            return false;
        }
    }
}

void Ending::wait_for_rest() const {
    has_ended(supervisor_, -1);
    // A supervisor that was killed leaves the record, and processes that clear up after it. Its child holds the entry
    // locked until it has seen the end, or has closed what it inherited.
    const std::optional<RunRecord> record = record_of(run_);
    has_ended(record ? open_process(record->init) : Fd(), -1);
    constexpr int kMilliseconds = 2;
    constexpr int kTries = 30'000;
    const auto is_left = [&] {
        return is_alive(run_) || (record && !record->cgroup.empty() && ::access(record->cgroup.c_str(), F_OK) == 0);
    };
    for (int i = 0; is_left(); ++i) {
        if (i == kTries) {
            throw Error("cannot see the last of the sandbox " + sandbox::quoted(run_.name))
                .cause("something holds its entry locked, or its cgroup does not empty");
        }
        ::poll(nullptr, 0, kMilliseconds);
    }
    clear_run(registry_, run_);
}

} // namespace sandbox::ctl
