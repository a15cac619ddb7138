#include "core/user_namespace.hpp"

#include <sched.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <limits>

#include "core/base/child_process.hpp"
#include "core/base/error.hpp"
#include "core/base/file.hpp"
#include "core/base/pipe.hpp"
#include "core/base/step_error.hpp"
#include "core/base/sys.hpp"
#include "core/ids.hpp"
#include "core/namespaces.hpp"

namespace sandbox {

Fd make_user_namespace(const IdsPlan& plan) {
    int pidfd = -1;
    const pid_t pid = sys::clone(CLONE_NEWUSER, &pidfd);
    if (pid == 0) {
        ::prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
        for (;;) {
            ::pause(); // until it is killed
        }
    }
    if (pid < 0) {
        throw StepError(Step::create_user_namespace, "", errno);
    }
    const ChildProcess child(pid, Fd(pidfd));
    ids::MapWriting(pid, plan).finish();
    return namespaces::open_user_namespace(pid);
}

std::string ask_in_user_namespace(const Fd& user_namespace, const std::function<std::string()>& question) {
    constexpr int kAnswered = 0;
    constexpr int kRefused = 1;
    Pipe pipe = make_pipe("the process in the user namespace");
    int pidfd = -1;
    const pid_t pid = sys::clone(0, &pidfd);
    if (pid == 0) {
        ::prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
        int status = kRefused;
        std::string answer;
        try {
            // CMD may have every right over that namespace, and this process stands in the host's root.
            if (::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0 || ::setns(user_namespace.get(), CLONE_NEWUSER) < 0) {
                throw Error("cannot enter the user namespace").kernel(errno);
            }
            answer = question();
            status = kAnswered;
        } catch (const Error& error) {
            answer = error.summary();
        } catch (...) {
            answer = "the process in the user namespace failed";
        }
        const bool is_written = write_all(pipe.write_end.get(), answer);
        ::_exit(is_written ? status : 2);
    }
    if (pid < 0) {
        throw Error("cannot make a process in the user namespace").kernel(errno);
    }
    ChildProcess child(pid, Fd(pidfd));
    pipe.write_end.reset();
    std::string answer;
    const bool is_read = read_all(pipe.read_end.get(), std::numeric_limits<std::size_t>::max(), answer);
    const int status = child.wait();
    if (WIFEXITED(status) && WEXITSTATUS(status) == kRefused) {
        throw Error(answer);
    }
    if (!is_read || !WIFEXITED(status) || WEXITSTATUS(status) != kAnswered) {
        throw Error("the process in the user namespace ended without an answer");
    }
    return answer;
}

} // namespace sandbox
