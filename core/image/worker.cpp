#include "core/image/worker.hpp"

#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>

#include <fmt/format.h>

#include "core/base/child_process.hpp"
#include "core/base/error.hpp"
#include "core/base/file.hpp"
#include "core/base/pipe.hpp"
#include "core/base/sys.hpp"
#include "core/capabilities.hpp"
#include "core/ids.hpp"
#include "core/image/archive_library.hpp"
#include "core/image/worker_result.hpp"
#include "core/plan/ids_plan.hpp"
#include "core/plan/subids.hpp"

namespace sandbox::image {

namespace {

// The one thing that a signal handler can reach; it belongs to the worker process alone.
volatile sig_atomic_t interrupted_by = 0;

void note_signal(int signal) {
    interrupted_by = signal;
}

void expect(bool holds, const char* what) {
    if (!holds) {
        throw Error(std::string("cannot ") + what).kernel(errno).fix("sandboxctl doctor");
    }
}

/// What writing a layer takes: files of any owner, of any mode, with file capabilities.
CapabilitiesPlan needed_capabilities() {
    return {.keep = {CAP_CHOWN, CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH, CAP_FOWNER, CAP_FSETID, CAP_SETFCAP},
            .origins = {}};
}

void catch_signals() {
    struct sigaction action {};
    action.sa_handler = note_signal;
    for (const int signal : {SIGINT, SIGTERM, SIGHUP}) {
        ::sigaction(signal, &action, nullptr);
    }
    ::signal(SIGPIPE, SIG_IGN);
}

/// Becomes root of the namespace and leaves everything behind that the work does not need.
void become_worker(const OwnersPlan& owners, const std::string& directory, pid_t parent) {
    expect(owners.single_owner || ::setgroups(0, nullptr) == 0, "drop the groups");
    expect(::setresgid(0, 0, 0) == 0 && ::setresuid(0, 0, 0) == 0, "become root of the user namespace");
    // After the ids, which clear it: prctl(2).
    expect(::prctl(PR_SET_PDEATHSIG, SIGKILL) == 0 && ::getppid() == parent, "end with the program");
    // An archive can do no more than a path can reach, and none reaches further than the store.
    expect(::chdir(directory.c_str()) == 0 && ::chroot(".") == 0, "enter the image store");
    expect(capabilities::drop(needed_capabilities()) == 0, "drop the capabilities");
    expect(::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0, "set no_new_privs");
    ::umask(0);
    rlimit limit{};
    if (::getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max; // a deep tree is walked with a descriptor a level
        ::setrlimit(RLIMIT_NOFILE, &limit);
    }
}

/// The child's whole life.
[[noreturn]] void live(const OwnersPlan& owners, const std::string& directory, pid_t parent, Pipe& mapped, Pipe& result,
                       Fd& created, const std::function<std::string()>& work) {
    WorkerResult answer;
    try {
        catch_signals();
        expect(::unshare(CLONE_NEWUSER) == 0, "create a user namespace");
        created.reset();
        mapped.write_end.reset();
        char byte = 0;
        if (::read(mapped.read_end.get(), &byte, 1) != 1) {
            ::_exit(kOwnFailure); // the parent has gone, or tells its own error
        }
        become_worker(owners, directory, parent);
        answer.text = work();
    } catch (const Error& error) {
        answer = failed_with(error);
    } catch (const std::exception& error) {
        answer = failed_with(Error(escaped(error.what())));
    }
    static_cast<void>(write_all(result.write_end.get(), to_text(answer)));
    ::_exit(0);
}

/// The terminal's Ctrl-C reaches the worker by itself; the program waits for it to tidy up.
class PatientSignals {
public:
    explicit PatientSignals(const ChildProcess& worker) {
        struct sigaction action {};
        action.sa_handler = SIG_IGN;
        ::sigaction(SIGINT, &action, &interrupt_);
        ::sigaction(SIGHUP, &action, &hangup_);
        // A SIGTERM is for us alone, so it is passed on.
        worker_pidfd = worker.pidfd();
        action.sa_handler = [](int signal) { sys::pidfd_send_signal(worker_pidfd, signal); };
        action.sa_flags = SA_RESTART;
        ::sigaction(SIGTERM, &action, &terminate_);
    }
    ~PatientSignals() {
        ::sigaction(SIGINT, &interrupt_, nullptr);
        ::sigaction(SIGHUP, &hangup_, nullptr);
        ::sigaction(SIGTERM, &terminate_, nullptr);
    }
    PatientSignals(const PatientSignals&) = delete;
    PatientSignals& operator=(const PatientSignals&) = delete;

private:
    static inline int worker_pidfd = -1; // a handler reaches nothing else
    struct sigaction interrupt_ {};
    struct sigaction hangup_ {};
    struct sigaction terminate_ {};
};

} // namespace

OwnersPlan plan_owners(const Host& host) {
    OwnersPlan owners;
    owners.fix = subid_fix(host);
    if (host.newuidmap.empty() || host.newgidmap.empty()) {
        owners.why_single = "newuidmap and newgidmap are not installed";
        owners.fix = "install the package uidmap (shadow-utils on Fedora, shadow on Arch)";
    } else if (host.user_name.empty()) {
        owners.why_single = fmt::format("uid {} has no passwd entry, which newuidmap asks for", host.uid);
        owners.fix = "give the user a passwd entry";
    } else if (host.subuids.empty() || host.subgids.empty()) {
        owners.why_single = fmt::format("user {} has no range in {}", escaped(host.user_name),
                                        host.subuids.empty() ? "/etc/subuid" : "/etc/subgid");
    }
    owners.single_owner = !owners.why_single.empty();
    IdsPlan& ids = owners.ids;
    ids.through_helpers = !owners.single_owner;
    ids.newuidmap = host.newuidmap;
    ids.newgidmap = host.newgidmap;
    ids.uid_map = owners.single_owner ? std::vector<MapEntry>{{0, host.uid, 1}} : map_around(host.uid, 0, host.subuids);
    ids.gid_map = owners.single_owner ? std::vector<MapEntry>{{0, host.gid, 1}} : map_around(host.gid, 0, host.subgids);
    return owners;
}

std::string run_in_user_namespace(const OwnersPlan& owners, const std::string& directory,
                                  const std::function<std::string()>& work) {
    Pipe mapped = make_pipe("the image store's worker");
    Pipe result = make_pipe("the image store's worker");
    Pipe created = make_pipe("the image store's worker");
    const pid_t parent = ::getpid();
    static_cast<void>(archive_library()); // the worker's root has none
    const pid_t pid = ::fork();
    if (pid < 0) {
        throw Error("cannot start the image store's worker").kernel(errno);
    }
    if (pid == 0) {
        created.read_end.reset();
        result.read_end.reset();
        live(owners, directory, parent, mapped, result, created.write_end, work);
    }
    ChildProcess worker(pid, Fd(sys::pidfd_open(pid)));
    const PatientSignals patience(worker);
    created.write_end.reset();
    result.write_end.reset();
    mapped.read_end.reset();
    char byte = 0;
    static_cast<void>(!::read(created.read_end.get(), &byte, 1)); // its end says: the namespace is there
    ids::MapWriting(pid, owners.ids).finish();
    static_cast<void>(write_all(mapped.write_end.get(), "m"));

    std::string text;
    constexpr std::size_t kMost = std::size_t{64} << 20;
    static_cast<void>(read_all(result.read_end.get(), kMost, text));
    const int status = worker.wait();
    if (WIFSIGNALED(status)) {
        throw Error(fmt::format("the image store's worker was killed by signal {}", WTERMSIG(status)))
            .fix("run it again: the store is as it was");
    }
    return result_of(text);
}

void expect_not_interrupted() {
    if (interrupted_by != 0) {
        constexpr int kSignalBase = 128;
        throw Error("interrupted: the image store is as it was").status(kSignalBase + interrupted_by);
    }
}

} // namespace sandbox::image
