#include "core/cgroup_keeper.hpp"

#include <limits.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <cerrno>

#include <fmt/format.h>

#include "core/base/error.hpp"
#include "core/base/pipe.hpp"
#include "core/base/sys.hpp"
#include "core/cgroup.hpp"

namespace sandbox {

namespace {

/// The supervisor blocks all signals, so a keeper has them blocked too: Ctrl-C does not end it before its time.
[[noreturn]] void keep(int pipe) {
    ::setsid();
    ::prctl(PR_SET_NAME, "sandbox-keeper"); // for ps(1)
    // Nobody waits for the end of an output because of this process.
    const bool alone = ::dup2(pipe, STDIN_FILENO) >= 0 && sys::close_from(STDIN_FILENO + 1) == 0;
    CgroupKeeper::Task task;
    CgroupKeeper::Task told;
    while (alone && ::read(STDIN_FILENO, &told, sizeof told) == static_cast<ssize_t>(sizeof told)) {
        task = told;
    }
    if (task.parent[0] != '\0') {
        // With a shared pid namespace nothing else ends them all where the supervisor was killed.
        [[maybe_unused]] const bool killed = cgroup::write(CgroupKeeper::sandbox_directory(task), "cgroup.kill", "1");
    }
    if (task.dissolves) {
        CgroupKeeper::dissolve(task);
        cgroup::remove(CgroupKeeper::keeper_directory(task));
    }
    ::_exit(0);
}

} // namespace

CgroupKeeper::CgroupKeeper() {
    Pipe pipe = make_pipe("the keeper of the sandbox's cgroup");
    int pidfd = -1;
    const pid_t pid = sys::clone(0, &pidfd);
    if (pid == 0) {
        keep(pipe.read_end.get());
    }
    if (pid < 0) {
        throw Error("cannot start the keeper of the sandbox's cgroup").kernel(errno);
    }
    process_ = ChildProcess(pid, Fd(pidfd));
    pipe_ = std::move(pipe.write_end);
}

CgroupKeeper::~CgroupKeeper() {
    pipe_.reset();
    process_.wait();
}

void CgroupKeeper::set(const Task& task) const {
    // Less than PIPE_BUF: written whole, or not at all.
    static_assert(sizeof(Task) <= PIPE_BUF);
    if (::write(pipe_.get(), &task, sizeof task) != static_cast<ssize_t>(sizeof task)) {
        throw Error("cannot tell the keeper of the sandbox's cgroup what to do").kernel(errno);
    }
}

std::string CgroupKeeper::sandbox_directory(const Task& task) {
    return fmt::format("{}/sandbox-{}", task.parent, task.supervisor);
}

std::string CgroupKeeper::keeper_directory(const Task& task) {
    return fmt::format("{}/keeper-{}", task.parent, task.supervisor);
}

void CgroupKeeper::dissolve(const Task& task) {
    const std::string parent = task.parent;
    cgroup::remove(sandbox_directory(task));
    // Every step that fails was done before, by the supervisor or by the keeper; or the cgroup has gone as a whole.
    [[maybe_unused]] bool done = cgroup::write(parent, "cgroup.subtree_control", task.switch_off);
    done = cgroup::write(parent, "cgroup.procs", "0");
}

} // namespace sandbox
