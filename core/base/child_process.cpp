#include "core/base/child_process.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>

#include <cerrno>
#include <string_view>

#include <fmt/format.h>

#include "core/base/error.hpp"
#include "core/base/pipe.hpp"
#include "core/base/sys.hpp"

namespace sandbox {

ChildProcess::ChildProcess(ChildProcess&& other) noexcept
    : pid_(std::exchange(other.pid_, -1)), pidfd_(std::move(other.pidfd_)) {}

ChildProcess& ChildProcess::operator=(ChildProcess&& other) noexcept {
    std::swap(pid_, other.pid_);
    std::swap(pidfd_, other.pidfd_);
    return *this;
}

ChildProcess::~ChildProcess() {
    if (pid_ > 0) {
        kill(SIGKILL);
        wait();
    }
}

void ChildProcess::kill(int signal) const {
    // ESRCH: it has ended by itself, which is what a caller wants to be true afterwards.
    sys::pidfd_send_signal(pidfd_.get(), signal);
}

bool ChildProcess::has_ended() const {
    pollfd watched{pidfd_.get(), POLLIN, 0};
    return ::poll(&watched, 1, 0) > 0;
}

int ChildProcess::wait(rusage* used) {
    int status = 0;
    while (::wait4(pid_, &status, 0, used) < 0 && errno == EINTR) {
    }
    pid_ = -1;
    return status;
}

namespace {

/// posix_spawn's two attribute objects, freed with the scope.
struct SpawnSetup {
    posix_spawn_file_actions_t actions{};
    posix_spawnattr_t attributes{};

    SpawnSetup() {
        posix_spawn_file_actions_init(&actions);
        posix_spawnattr_init(&attributes);
        sigset_t none;
        sigset_t all;
        sigemptyset(&none);
        sigfillset(&all);
        // A caller's ignored SIGPIPE or blocked SIGTERM must not become the helper's.
        posix_spawnattr_setsigmask(&attributes, &none);
        posix_spawnattr_setsigdefault(&attributes, &all);
        posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    }
    SpawnSetup(const SpawnSetup&) = delete;
    SpawnSetup& operator=(const SpawnSetup&) = delete;
    ~SpawnSetup() {
        posix_spawn_file_actions_destroy(&actions);
        posix_spawnattr_destroy(&attributes);
    }
};

} // namespace

Helper::Helper(const std::vector<std::string>& arguments, int stream, char* const* environment) {
    Pipe pipe = make_pipe(quoted(arguments[0]));
    stream_ = std::move(pipe.read_end);
    const Fd write_end = std::move(pipe.write_end);

    SpawnSetup setup;
    posix_spawn_file_actions_addopen(&setup.actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    const int unheard = stream == STDERR_FILENO ? STDOUT_FILENO : STDERR_FILENO;
    posix_spawn_file_actions_addopen(&setup.actions, unheard, "/dev/null", O_WRONLY, 0);
    posix_spawn_file_actions_adddup2(&setup.actions, write_end.get(), stream);
    posix_spawn_file_actions_addclosefrom_np(&setup.actions, STDERR_FILENO + 1);

    std::vector<char*> argv;
    for (const std::string& argument : arguments) {
        argv.push_back(const_cast<char*>(argument.c_str()));
    }
    argv.push_back(nullptr);
    char* const nothing[] = {nullptr};
    pid_t pid = -1;
    const int failed = ::posix_spawn(&pid, argv[0], &setup.actions, &setup.attributes, argv.data(),
                                     environment != nullptr ? environment : nothing);
    if (failed != 0) {
        throw Error("cannot execute " + quoted(arguments[0])).kernel(failed);
    }
    process_ = ChildProcess(pid, Fd(sys::pidfd_open(pid)));
}

namespace {

std::string status_words(int status) {
    return WIFSIGNALED(status) ? fmt::format("it was killed by signal {}", WTERMSIG(status))
                               : fmt::format("it ended with status {}", WEXITSTATUS(status));
}

} // namespace

std::string last_words(const HelperResult& result) {
    std::string_view text = result.said;
    while (!text.empty() && (text.back() == '\n' || text.back() == ' ')) {
        text.remove_suffix(1);
    }
    if (!text.empty()) {
        return "it said " + quoted(text);
    }
    return status_words(result.status);
}

std::string how_it_ended(const HelperResult& result) {
    return WIFSIGNALED(result.status) ? status_words(result.status) : last_words(result);
}

HelperResult Helper::finish() {
    constexpr std::size_t kMost = std::size_t{64} * 1024;
    HelperResult result;
    char buffer[512];
    ssize_t count = 0;
    while ((count = ::read(stream_.get(), buffer, sizeof buffer)) > 0 || (count < 0 && errno == EINTR)) {
        if (count > 0 && result.said.size() < kMost) {
            result.said.append(buffer, static_cast<std::size_t>(count));
        }
    }
    result.status = process_.wait();
    return result;
}

} // namespace sandbox
