// The story of a run, in the kernel's order. Three functions, one step a line; the insides stand in core/ and netns/.
//
// clang-format off
// who        | step                                                  | why here
// ---------- | ----------------------------------------------------- | ------------------------------------------------
// supervisor | the run's entry in the registry, locked (main.cpp)    | a name that is taken is an error before the start
// supervisor | compile the filter or load it from the cache          | all user errors come before any kernel state
// supervisor | the directories of the private layers, locked         | what cannot be had is found before kernel state
// supervisor | the host's side of published ports is bound           | a port that is taken is the last user error
// supervisor | a network namespace that holds the rates              | beside the sandbox's, out of its reach
// supervisor | clone into a new user and pid namespace               | user first: it owns everything that follows
// supervisor | newuidmap and newgidmap, side by side                 | the child works on meanwhile
// supervisor | a cgroup with the limits; the child is moved into it  | they hold before its cgroup namespace is made
// child      | net, mnt, uts, ipc; hostname and loopback             | none of it needs host privilege or a mapped id
// supervisor | slirp4netns or pasta joins the child's namespaces     | the slowest step: CMD's start alone waits for it
// child      | mapped: cgroup namespace; all mounts private          | what it creates from here on has an owner
// child      | root assembled, pivot_root, old root unmounted        | chroot can be left, this cannot
// supervisor | keeps the namespaces open, records the run            | sandboxctl can find it before CMD has run
// child      | meanwhile: the links of the hidden names in the home  | what CMD looks at is told when it has ended
// pid 1      | session, keyring; groups dropped, ids taken           | in the new root, so nothing of the host is met
// pid 1      | terminal, working directory                           | with CMD's ids, so with CMD's rights
// pid 1      | securebits, capabilities, no_new_privs, read back     | before the filter, which need not allow them
// pid 1      | every descriptor closed but the standard three        | nothing of the host's reaches CMD
// CMD        | process group, limits, signals, the filter, execve    | the filter covers CMD from its first instruction
// pid 1      | the filter's listener goes to the supervisor          | it answers what is refused, and counts it
// pid 1      | locks itself into a filter of its own, reaps          | no profile, however strict, can break pid 1
// supervisor | waits, passes signals on, keeps the terminal, reports |
// clang-format on
#include "cmd/sandbox/launch.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <memory>
#include <span>
#include <string>

#include "cmd/common/print.hpp"
#include "core/base/exit_status.hpp"
#include "core/base/step_clock.hpp"
#include "core/base/step_error.hpp"
#include "core/base/sys.hpp"
#include "core/control.hpp"
#include "core/credentials.hpp"
#include "core/execute.hpp"
#include "core/fuse_overlays.hpp"
#include "core/hidden_names.hpp"
#include "core/ids.hpp"
#include "core/init.hpp"
#include "core/namespaces.hpp"
#include "core/own_directories.hpp"
#include "core/path_calls.hpp"
#include "core/plan/capabilities_plan.hpp"
#include "core/private_layers.hpp"
#include "core/pty.hpp"
#include "core/refused_calls.hpp"
#include "core/root.hpp"
#include "core/sandbox_cgroup.hpp"
#include "core/seccomp.hpp"
#include "core/standard_streams.hpp"
#include "core/terminal.hpp"
#include "core/tree_user.hpp"
#include "core/workdir.hpp"
#include "netns/loopback.hpp"
#include "netns/namespace.hpp"
#include "netns/network.hpp"

namespace sandbox {

namespace {

/// What the child needs besides the plan, all of it made before clone.
struct Start {
    const Plan& plan;
    Execution execution;
    std::optional<terminal::State> callers_terminal;
    control::Pair control;
    std::span<const overlay::Layer> layers;
    bool through_fuse;
    Identity identity;
    char** arguments;
    StepClock* clock;
};

/// A second safeguard; the first is the control socket, whose end pid 1 watches. Without a pid namespace of
/// its own it must live on for a moment, to kill CMD's processes one by one.
void die_with_supervisor(const Plan& plan, const StepReporter& failure) {
    if (plan.namespaces.pid) {
        failure.at(Step::watch_supervisor, ::prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0));
    }
}

/// pid 1: nothing that the supervisor did not decide happens here.
[[noreturn]] void become_init(Start& start, mode_t umask, const StepReporter& failure) {
    const Plan& plan = start.plan;
    const bool shares_pid_namespace = !plan.namespaces.pid;
    ChildMessage started{};
    started.kind = ChildMessage::Kind::started;

    if (shares_pid_namespace) {
        // Not pid 1 of anything then: CMD's orphans come to us all the same.
        failure.at(Step::become_subreaper, ::prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0));
    }
    failure.at(Step::start_session, ::setsid());
    credentials::leave_session_keyring(failure);

    credentials::take_ids(plan.ids.drop_groups, start.identity, failure);
    // CMD's ids are ours from here on; a change of ids clears the signal for the supervisor's end, so it is asked for
    // again.
    die_with_supervisor(plan, failure);
    failure.at(Step::clear_dumpable, ::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0));
    const int terminal = pty::take_own(plan.process, start.callers_terminal, start.control.child.get(), failure);
    failure.at(Step::enter_workdir, enter_workdir(plan.process.workdir.c_str()), plan.process.workdir.c_str());
    credentials::give_up_privileges(kept_by(plan, start.identity.uid), failure);
    // Nothing here can gain a privilege any more.

    failure.at(Step::close_descriptors,
               init::keep_only_own_descriptors(start.control.child.get(), shares_pid_namespace));
    const StepReporter own(init::kControl, start.clock);
    // No descriptor of the host is left but the standard three. CMD has not run yet, and everything that was asked for
    // is in place: now or never. Should pid 1 fail to go on afterwards, its end takes CMD along, or it does so itself.
    if (plan.network.has_interface()) {
        own.at(Step::attach_network, netns::wait_for_interface(plan.network, init::kControl));
    } else if (control::wait_for_ready(init::kControl) < 0) {
        ::_exit(kOwnFailure); // the supervisor is gone
    }
    const pid_t command = start.execution.start(terminal, umask, init::kControl);
    own.at(Step::start_command, command);
    const Execution::Failure& failed = start.execution.failure();
    if (failed.error_number != 0) {
        errno = failed.error_number;
        own.leave(failed.step, failed.object);
    }
    own.done(Step::execute);
    let_go_of_standard_streams(STDERR_FILENO);
    const int locked = init::lock(shares_pid_namespace);
    if (locked < 0 && shares_pid_namespace) {
        const int error_number = errno;
        init::kill_descendants(init::kChildren);
        errno = error_number;
    }
    own.at(Step::lock_init, locked);
    init::run(command, started, shares_pid_namespace ? init::Takes::descendants : init::Takes::all);
}

/// The child: every capability in a user namespace where its ids still mean nothing.
[[noreturn]] void enter(Start& start) {
    const Plan& plan = start.plan;
    const mode_t umask = ::umask(0); // the new root gets exactly the modes of the plan
    start.control.supervisor.reset();
    const int control = start.control.child.get();
    if (start.clock != nullptr) {
        start.clock->start();
    }
    const StepReporter failure(control, start.clock);
    init::hide_command_line(start.arguments, "sandbox-init");
    die_with_supervisor(plan, failure);

    // While newuidmap and newgidmap run: all that needs no mapped id, and the network namespace is the dear part of a
    // start.
    namespaces::create(plan.namespaces, failure);
    if (plan.namespaces.uts) {
        const std::string& hostname = plan.namespaces.hostname;
        failure.at(Step::set_hostname, ::sethostname(hostname.data(), hostname.size()), hostname.c_str());
    }
    if (plan.namespaces.net) {
        failure.at(Step::raise_loopback, netns::raise_loopback());
    }
    if (plan.network.has_interface()) {
        netns::offer_namespace(plan.network, control, failure);
    }
    if (!control::wait_for_proceed(control)) {
        ::_exit(kOwnFailure); // the supervisor is gone, or what it said cannot be read
    }
    failure.done(Step::write_uid_map);
    // The ids mean something now: what is created from here on belongs to somebody. newuidmap needed us dumpable.
    failure.at(Step::clear_dumpable, ::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0));

    namespaces::create_cgroup(plan.namespaces, failure);
    namespaces::make_mounts_private(failure);
    const namespaces::Opened opened = namespaces::open_own(failure);
    const std::string no_workdir;
    const root::Materials materials{plan.root,
                                    plan.overlays,
                                    start.layers,
                                    start.through_fuse,
                                    control,
                                    plan.ids.user_in_root,
                                    plan.process.makes_workdir ? plan.process.workdir : no_workdir};
    root::Assembled assembled = root::assemble(materials, start.identity, failure);
    if (plan.process.takes_home_from_root) {
        start.execution.set_home(start.identity.home);
    }
    root::enter(std::move(assembled.root), failure);
    // The host's files are gone but for what the plan grants, so others may join.
    namespaces::offer(control, opened, start.identity, assembled.stage.get(), failure);
    // While the supervisor records the run.
    hidden_names::plant(assembled.hidden_names, plan.root.hidden_names, failure);
    become_init(start, umask, failure);
}

/// Memory that supervisor and child share, for --verbose.
struct SharedClock {
    StepClock* clock = nullptr;

    explicit SharedClock(bool wanted) {
        if (!wanted) {
            return;
        }
        void* memory = ::mmap(nullptr, sizeof(StepClock), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        if (memory == MAP_FAILED) {
            throw Error("cannot make the trace of the steps").kernel(errno);
        }
        clock = new (memory) StepClock();
    }
    SharedClock(const SharedClock&) = delete;
    SharedClock& operator=(const SharedClock&) = delete;
    ~SharedClock() {
        if (clock != nullptr) {
            ::munmap(clock, sizeof(StepClock));
        }
    }
};

/// A failure of the child explains more than what its absence made fail here.
void rethrow_childs_failure(int control) {
    while (const std::optional<control::Received> received = control::receive(control)) {
        if (received->message.kind == ChildMessage::Kind::failed) {
            const StepFailure& failure = received->message.failure;
            throw StepError(failure.step, failure.object, failure.error_number);
        }
    }
}

/// The plan's filter, which asks about what the options want to know.
seccomp::Filter filter_for(const Plan& plan, const RunOptions& options) {
    seccomp::Filter filter = seccomp::load_or_compile(plan.seccomp, plan.data_dir);
    if (options.tried != nullptr) {
        const Plan& tried = *options.tried;
        seccomp::Program program = seccomp::load_or_compile(tried.seccomp, tried.data_dir).plain;
        return seccomp::on_trial(filter, std::move(program), tried.seccomp, path_calls::numbers());
    }
    if (options.explain) {
        return seccomp::asking_about(std::move(filter), plan.seccomp, path_calls::numbers());
    }
    if (options.report.when == ReportOptions::When::never && !options.report.json) {
        filter.reporting = {};
    }
    return filter;
}

/// The unit of systemd and the messages about it bear this.
std::string sandbox_name(const Plan& plan) {
    const std::string& command = plan.process.arguments.front();
    return !plan.name.empty() ? plan.name : command.substr(command.rfind('/') + 1);
}

void tell(const std::vector<std::string>& notices, const RunOptions& options, std::vector<std::string>& warnings) {
    for (const std::string& notice : notices) {
        if (!options.quiet) {
            complain("note: " + notice);
        }
        warnings.push_back(notice);
    }
}

} // namespace

Outcome launch(const Plan& plan, const RunOptions& options, const StatusPipe& status, Recorder& recorder,
               char** arguments) {
    const seccomp::Filter filter = filter_for(plan, options);
    options.trace.mark("load the filter");
    recorder.hold(filter.plain);
    make_own_directories(plan.root.ensure_directories);
    std::vector<std::string> warnings = plan.notices; // those the caller has told
    PrivateLayers layers(plan.overlays, plan.data_dir, plan.root.tree ? plan.root.tree->id : "");
    if (!layers.notice().empty()) {
        tell({layers.notice()}, options, warnings);
    }
    const SharedClock clock(options.verbose);
    const Signals signals;
    const terminal::Guard terminal_guard(!plan.process.terminal && !plan.process.output_terminal);
    if (!plan.process.terminal) {
        keep_background_from_reading();
    }
    Start start{plan,
                Execution(plan.process, plan.environment, plan.limits, filter, signals.callers_mask()),
                terminal::state_for(plan.process),
                control::make_pair(),
                layers.layers(),
                layers.through_fuse(),
                Identity{.uid = plan.ids.uid, .gid = plan.ids.gid},
                arguments,
                clock.clock};
    const init::DescendantReaper reaper(!plan.namespaces.pid);
    // Before the network's helper, which may stand in one of its cgroups, and so ends before it is taken away.
    std::optional<SandboxCgroup> cgroup;
    netns::Network network(plan.network, plan.ids);
    if (!network.notice().empty()) {
        tell({network.notice()}, options, warnings);
    }
    FuseOverlays fuse(plan.overlays, layers.layers(), layers.through_fuse());
    // All that needs no kernel state is behind us; a limit that cannot be held is told when its cgroup is there.

    int pidfd = -1;
    const pid_t pid = sys::clone(namespaces::first_flags(plan.namespaces), &pidfd);
    if (pid == 0) {
        enter(start);
    }
    if (pid < 0) {
        throw StepError(Step::create_user_namespace, "", errno);
    }
    ChildProcess child(pid, Fd(pidfd));
    start.control.child.reset();
    options.trace.mark("clone the child");
    ids::MapWriting maps(child.pid(), plan.ids);
    cgroup.emplace(plan.cgroup, sandbox_name(plan), child.pid(), fuse.pids());
    std::vector<std::string> notices;
    try {
        maps.finish();
        options.trace.mark("write the uid and gid maps");
        if (!layers.layers().empty()) {
            layers.remember_user_namespace(namespaces::open_user_namespace(child.pid()));
        }
        notices = cgroup->settle();
        options.trace.mark("set the limits of the sandbox");
    } catch (const Error&) {
        rethrow_childs_failure(start.control.supervisor.get());
        throw;
    }
    if (!child.has_ended()) { // else what it says is the reason for all
        tell(notices, options, warnings);
    }
    if (!cgroup->is_told_to_end() && !control::send(start.control.supervisor.get(), SupervisorMessage{})) {
        const int error_number = errno;
        rethrow_childs_failure(start.control.supervisor.get());
        throw Error("cannot tell the sandbox's pid 1 to go on").kernel(error_number);
    }
    // From here on the child owns what it creates, and goes its way; the rest is waiting. It has handed over its
    // network namespace, and while it builds its root the supervisor has the interface attached; then come the others,
    // and the run is recorded: Supervisor::on_message.

    RefusedCalls refused((options.tried != nullptr ? *options.tried : plan).seccomp, filter);
    Outcome outcome = Supervisor(plan, signals, child, *cgroup, start.control.supervisor.get(), status, network, layers,
                                 fuse, recorder, refused)
                          .watch();
    outcome.explained = options.explain;
    outcome.warnings = std::move(warnings);
    outcome.permissive = options.tried != nullptr;
    options.trace.mark("wait for CMD");
    if (options.verbose) {
        options.trace.add_steps(*clock.clock);
    }
    return outcome;
}

} // namespace sandbox
