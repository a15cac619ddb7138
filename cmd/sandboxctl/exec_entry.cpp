// clang-format off
// who      | step                                                   | why here
// -------- | ------------------------------------------------------ | ------------------------------------------------
// caller   | runs from a file that only root can write (main.cpp)    | CMD could be made to execute /proc/self/exe
// caller   | the run is found, its supervisor's identity checked     | a pid of the record may be another's by now
// caller   | its namespaces opened, compared, the supervisor again   | what was opened was held by that very process
// child    | dumpable no more, every descriptor closed but its own   | nobody inside may trace it, nothing may leak
// child    | user namespace joined, then the others                  | the first gives the right to the others
// child    | forks into the pid namespace, as a child of the caller  | setns(2) leaves a process in its pid namespace
// guest    | waits; the caller moves it into the sandbox's cgroup    | the limits hold before anything is started
// guest    | session, keyring; groups dropped, ids taken; terminal   | as pid 1 did: cmd/sandbox/launch.cpp
// guest    | securebits, capabilities, no_new_privs, read back       | before the filter, which need not allow them
// guest    | working directory                                       | with CMD's rights and nothing more
// CMD      | process group, limits, signals, the filter, execve      | nothing of the sandbox was read before this
// guest    | locks itself into a filter of its own, waits            | out of CMD's reach but for a signal
// caller   | passes signals on, keeps the terminal, reports          |
// clang-format on
#include "cmd/sandboxctl/exec_entry.hpp"

#include <poll.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <optional>
#include <utility>

#include "cmd/sandboxctl/exec_supervisor.hpp"
#include "core/base/child_process.hpp"
#include "core/base/error.hpp"
#include "core/base/exit_status.hpp"
#include "core/base/step_error.hpp"
#include "core/base/sys.hpp"
#include "core/control.hpp"
#include "core/credentials.hpp"
#include "core/execute.hpp"
#include "core/init.hpp"
#include "core/join.hpp"
#include "core/pty.hpp"
#include "core/signals.hpp"
#include "core/standard_streams.hpp"
#include "core/terminal.hpp"
#include "core/workdir.hpp"

namespace sandbox::ctl {

namespace {

/// What the child needs, all of it made before clone.
struct Entry {
    const ExecPlan& plan;
    Execution execution;
    std::optional<terminal::State> callers_terminal;
    control::Pair control;
    namespaces::Opened namespaces;
    std::array<bool, kNamespaceNames.size()> wanted;
    bool shares_pid_namespace;
    char** arguments;
};

/// A change of ids takes both back, so this comes after each.
void close_to_others(bool shares_pid_namespace, const StepReporter& failure) {
    failure.at(Step::clear_dumpable, ::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0));
    // A second safeguard; the first is the control socket, whose end the guest watches. In the host's pid namespace it
    // must live on for a moment, to kill its processes one by one.
    if (!shares_pid_namespace) {
        failure.at(Step::watch_supervisor, ::prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0));
    }
}

/// The guest: in all namespaces of the sandbox, with every capability there until it gives them up.
[[noreturn]] void become_guest(Entry& entry, mode_t umask) {
    const ExecPlan& plan = entry.plan;
    const bool shares_pid_namespace = entry.shares_pid_namespace;
    const StepReporter first(entry.control.child.get());
    first.at(Step::close_descriptors, init::keep_only_own_descriptors(entry.control.child.get(), shares_pid_namespace));
    const StepReporter failure(init::kControl);
    close_to_others(shares_pid_namespace, failure);
    // No descriptor of the host is left but the standard three.
    ChildMessage entered{};
    entered.kind = ChildMessage::Kind::entered;
    failure.at(Step::enter_pid_namespace, sys::result_of(::write(init::kControl, &entered, sizeof entered)));
    if (!control::wait_for_proceed(init::kControl)) {
        ::_exit(kOwnFailure); // the caller is gone
    }
    // The limits of the sandbox hold.

    if (shares_pid_namespace) {
        failure.at(Step::become_subreaper, ::prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0));
    }
    failure.at(Step::start_session, ::setsid());
    credentials::leave_session_keyring(failure);
    credentials::take_ids(plan.drops_groups, plan.identity, failure);
    close_to_others(shares_pid_namespace, failure);
    const int terminal = pty::take_own(plan.process, entry.callers_terminal, init::kControl, failure);
    credentials::give_up_privileges(plan.capabilities, failure);
    // Nothing here can gain a privilege any more.
    const char* const workdir = plan.process.workdir.c_str();
    failure.at(Step::enter_workdir, enter_workdir(workdir), workdir);

    const pid_t command = entry.execution.start(terminal, umask, init::kControl);
    failure.at(Step::start_command, command);
    const Execution::Failure& failed = entry.execution.failure();
    if (failed.error_number != 0) {
        errno = failed.error_number;
        failure.leave(failed.step, failed.object);
    }
    let_go_of_standard_streams(STDERR_FILENO);
    const int locked = init::lock(shares_pid_namespace);
    failure.at(Step::lock_init, locked); // its end is CMD's end: Execution::end_with_starter
    ChildMessage started{};
    started.kind = ChildMessage::Kind::started;
    init::run(command, started, shares_pid_namespace ? init::Takes::descendants : init::Takes::command);
}

/// The child: still in the caller's pid namespace, where it ends as soon as the guest is there.
[[noreturn]] void enter(Entry& entry) {
    const mode_t umask = ::umask(0);
    entry.control.supervisor.reset();
    const StepReporter failure(entry.control.child.get());
    init::hide_command_line(entry.arguments, "sandbox-exec");
    close_to_others(entry.shares_pid_namespace, failure);
    namespaces::join(entry.namespaces, entry.wanted, failure);
    close_to_others(entry.shares_pid_namespace, failure);

    const auto control = static_cast<unsigned>(entry.control.child.get());
    const bool is_closed = (control <= STDERR_FILENO + 1 || sys::close_between(STDERR_FILENO + 1, control - 1) == 0) &&
                           sys::close_from(control + 1) == 0;
    failure.at(Step::close_descriptors, is_closed ? 0 : -1);
    // The guest is the caller's own child, so that this one is in nobody's way.
    int pidfd = -1;
    const pid_t guest = sys::clone(CLONE_PARENT, &pidfd);
    if (guest == 0) {
        become_guest(entry, umask);
    }
    failure.at(Step::enter_pid_namespace, guest);
    ::_exit(0);
}

bool has_ended(const Fd& process) {
    pollfd watched{process.get(), POLLIN, 0};
    return ::poll(&watched, 1, 0) > 0;
}

namespaces::Opened open_namespaces(const EnteredRun& run, NamespaceInodes& inodes) {
    std::array<int, kNamespaceNames.size()> descriptors{};
    for (std::size_t i = 0; i < inodes.size(); ++i) {
        inodes[i] = run.record.namespaces[i].inode;
        descriptors[i] = run.record.namespaces[i].descriptor;
    }
    namespaces::Opened opened = namespaces::open_held(run.record.supervisor.pid, descriptors, inodes);
    if (has_ended(run.supervisor)) {
        throw Error("the sandbox " + quoted(run.record.name) + " has ended");
    }
    return opened;
}

} // namespace

int run_inside(const EnteredRun& run, const ExecPlan& plan, char** arguments) {
    const bool shares_pid_namespace = run.record.shares_pid_namespace;
    NamespaceInodes inodes{};
    namespaces::Opened opened = open_namespaces(run, inodes);
    const Signals signals;
    const terminal::Guard terminal_guard(!plan.process.terminal && !plan.process.output_terminal);
    if (!plan.process.terminal) {
        keep_background_from_reading();
    }
    Entry entry{plan,
                Execution(plan.process, plan.environment, plan.limits, run.filter, signals.callers_mask()),
                terminal::state_for(plan.process),
                control::make_pair(),
                std::move(opened),
                namespaces::differ_from_own(inodes),
                shares_pid_namespace,
                arguments};
    entry.execution.end_with_starter();
    const init::DescendantReaper reaper(shares_pid_namespace);

    int pidfd = -1;
    const pid_t pid = sys::clone(0, &pidfd);
    if (pid == 0) {
        enter(entry);
    }
    if (pid < 0) {
        throw Error("cannot make a process").kernel(errno);
    }
    ChildProcess child(pid, Fd(pidfd));
    entry.control.child.reset();
    entry.namespaces = {};
    return ExecSupervisor(run, plan, signals, child, std::move(entry.control.supervisor)).watch();
}

} // namespace sandbox::ctl
