#include "netns/companion.hpp"

#include <fcntl.h>
#include <linux/capability.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>

#include "core/base/error.hpp"
#include "core/base/exit_status.hpp"
#include "core/base/pipe.hpp"
#include "core/base/sys.hpp"

namespace sandbox::netns {

namespace {

/// All that the new process needs, laid out before clone.
struct Launch {
    std::vector<char*> arguments;
    Surroundings surroundings;
    std::vector<Fd> descriptors; ///< above all the numbers that they get
    Fd null;
    int errors = -1;  ///< becomes standard error
    int failure = -1; ///< takes the errno where execve is not reached
    pid_t parent = 0;
};

void reset_signals() {
    for (int signal = 1; signal < NSIG; ++signal) {
        ::signal(signal, SIG_DFL);
    }
    sigset_t none;
    ::sigemptyset(&none);
    ::sigprocmask(SIG_SETMASK, &none, nullptr);
}

/// execve(2) takes the capabilities away from a uid that is not 0, but for ambient ones: capabilities(7).
int keep_capabilities() {
    __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
    __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = {};
    if (::syscall(SYS_capget, &header, data) < 0) {
        return -1;
    }
    for (__user_cap_data_struct& word : data) {
        word.inheritable = word.permitted;
    }
    if (::syscall(SYS_capset, &header, data) < 0) {
        return -1;
    }
    for (int capability = 0; ::prctl(PR_CAPBSET_READ, capability, 0, 0, 0) >= 0; ++capability) {
        if (::prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, capability, 0, 0) < 0) {
            return -1;
        }
    }
    return 0;
}

int place_descriptors(const Launch& launch) {
    if (::dup2(launch.null.get(), STDIN_FILENO) < 0 || ::dup2(launch.null.get(), STDOUT_FILENO) < 0 ||
        ::dup2(launch.errors, STDERR_FILENO) < 0) {
        return -1;
    }
    int number = STDERR_FILENO;
    for (const Fd& descriptor : launch.descriptors) {
        if (::dup2(descriptor.get(), ++number) < 0) {
            return -1;
        }
    }
    return 0;
}

/// In the new process.
[[noreturn]] void become(const Launch& launch) {
    reset_signals();
    ::setsid();
    char* const nothing[] = {nullptr};
    const bool prepared = place_descriptors(launch) == 0 && enter(launch.surroundings, launch.parent) == 0 &&
                          (launch.surroundings.becomes_root || keep_capabilities() == 0);
    if (prepared) {
        // Whatever else is open was opened with O_CLOEXEC.
        ::execve(launch.arguments[0], launch.arguments.data(), nothing);
    }
    const int error_number = errno;
    [[maybe_unused]] const ssize_t written = ::write(launch.failure, &error_number, sizeof error_number);
    ::_exit(kOwnFailure);
}

} // namespace

int drop_capabilities() {
    __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
    const __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = {};
    return sys::result_of(::syscall(SYS_capset, &header, none));
}

int enter(const Surroundings& surroundings, pid_t parent) {
    if (::setns(surroundings.user_namespace, CLONE_NEWUSER) < 0 ||
        (surroundings.net_namespace >= 0 && ::setns(surroundings.net_namespace, CLONE_NEWNET) < 0)) {
        return -1;
    }
    if (surroundings.becomes_root && (::setresgid(0, 0, 0) < 0 || ::setresuid(0, 0, 0) < 0)) {
        return -1;
    }
    // A change of ids or capabilities clears it, so it is asked for last; and the parent may be gone by now.
    if (::prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0) {
        return -1;
    }
    if (::getppid() != parent) {
        errno = ESRCH;
        return -1;
    }
    return 0;
}

Companion::Companion(const std::vector<std::string>& arguments, const Surroundings& surroundings,
                     std::span<const int> descriptors) {
    const std::string& program = arguments[0];
    auto [errors, errors_end] = make_pipe(quoted(program));
    auto [failure, failure_end] = make_pipe(quoted(program));
    Launch launch;
    for (const std::string& argument : arguments) {
        launch.arguments.push_back(const_cast<char*>(argument.c_str()));
    }
    launch.arguments.push_back(nullptr);
    const int first_free = STDERR_FILENO + 1 + static_cast<int>(descriptors.size());
    const auto above = [&](int descriptor) {
        Fd copy(::fcntl(descriptor, F_DUPFD_CLOEXEC, first_free));
        if (!copy) {
            throw Error("cannot duplicate a descriptor for " + quoted(program)).kernel(errno);
        }
        return copy;
    };
    for (const int descriptor : descriptors) {
        launch.descriptors.push_back(above(descriptor));
    }
    const Fd null(::open("/dev/null", O_RDWR | O_CLOEXEC));
    launch.null = above(null.get());
    const Fd errors_copy = above(errors_end.get());
    Fd failure_copy = above(failure_end.get());
    const Fd user_copy = above(surroundings.user_namespace);
    Fd net_copy;
    launch.surroundings = surroundings;
    launch.surroundings.user_namespace = user_copy.get();
    if (surroundings.net_namespace >= 0) {
        net_copy = above(surroundings.net_namespace);
        launch.surroundings.net_namespace = net_copy.get();
    }
    launch.errors = errors_copy.get();
    launch.failure = failure_copy.get();
    launch.parent = ::getpid();

    int pidfd = -1;
    const pid_t pid = sys::clone(0, &pidfd);
    if (pid == 0) {
        become(launch);
    }
    if (pid < 0) {
        throw Error("cannot make a process for " + quoted(program)).kernel(errno);
    }
    process_ = ChildProcess(pid, Fd(pidfd));
    errors_ = std::move(errors);
    launch.descriptors.clear();
    failure_copy.reset();
    failure_end.reset();
    int error_number = 0;
    if (::read(failure.get(), &error_number, sizeof error_number) == static_cast<ssize_t>(sizeof error_number)) {
        throw Error("cannot execute " + quoted(program) + " beside the sandbox").kernel(error_number);
    }
}

bool Companion::drain() {
    constexpr std::size_t kMost = std::size_t{64} * 1024;
    char buffer[512];
    const ssize_t count = ::read(errors_.get(), buffer, sizeof buffer);
    if (count > 0 && said_.size() < kMost) {
        said_.append(buffer, static_cast<std::size_t>(count));
    }
    return count > 0 || (count < 0 && errno == EINTR);
}

HelperResult Companion::finish() {
    while (drain()) {
    }
    return {.status = process_.wait(), .said = std::move(said_)};
}

} // namespace sandbox::netns
