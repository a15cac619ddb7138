#include "core/init.hpp"

#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstddef>
#include <cstring>

#include "core/base/error.hpp"
#include "core/base/exit_status.hpp"
#include "core/base/sys.hpp"

extern char** environ;

namespace sandbox::init {

namespace {

#if defined(__x86_64__)
constexpr std::uint32_t kNativeArchitecture = AUDIT_ARCH_X86_64;
#elif defined(__aarch64__)
constexpr std::uint32_t kNativeArchitecture = AUDIT_ARCH_AARCH64;
#else
#error "pid 1's filter does not know this architecture"
#endif

constexpr sock_filter load(std::size_t offset) {
    return BPF_STMT(BPF_LD | BPF_W | BPF_ABS, static_cast<std::uint32_t>(offset));
}

/// Goes on to the next instruction where the loaded word is `value`, else jumps over it.
constexpr sock_filter if_equal(std::uint32_t value) {
    return BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, 0, 1);
}

constexpr sock_filter answer(std::uint32_t action) {
    return BPF_STMT(BPF_RET | BPF_K, action);
}

constexpr sock_filter if_call(int number) {
    return if_equal(static_cast<std::uint32_t>(number));
}

constexpr sock_filter kAllow = answer(SECCOMP_RET_ALLOW);
constexpr sock_filter kRefuse = answer(SECCOMP_RET_ERRNO | EPERM);

void send(const ChildMessage& message) {
    // A supervisor that is gone is noticed by the next poll.
    [[maybe_unused]] const ssize_t sent = ::write(kControl, &message, sizeof message);
}

void send(ChildMessage::Kind kind, int status) {
    ChildMessage message{};
    message.kind = kind;
    message.status = status;
    send(message);
}

[[noreturn]] void leave(pid_t command, Takes takes, int status) {
    if (takes == Takes::descendants) {
        kill_descendants(kChildren);
    } else if (takes == Takes::command && command > 0) {
        ::kill(-command, SIGKILL);
        ::kill(command, SIGKILL); // it may have gone to another group
    }
    ::_exit(status);
}

/// The exit status that says how a process ended, as a shell has it.
int exit_status(int wait_status) {
    return WIFSIGNALED(wait_status) ? kSignalBase + WTERMSIG(wait_status) : WEXITSTATUS(wait_status);
}

/// Reaps whatever has ended. \return the exit status of `command` when it was among them, else -1.
int reap(pid_t command) {
    int status = 0;
    pid_t pid = 0;
    while ((pid = ::waitpid(-1, &status, WNOHANG | WUNTRACED)) > 0) {
        if (pid != command) {
            continue;
        }
        if (WIFSTOPPED(status)) {
            send(ChildMessage::Kind::stopped, WSTOPSIG(status));
        } else {
            send(ChildMessage::Kind::exited, status);
            return exit_status(status);
        }
    }
    return -1;
}

/// \return false when the supervisor is gone.
bool obey(pid_t command) {
    SupervisorMessage message{};
    const ssize_t count = ::read(kControl, &message, sizeof message);
    if (count < 0 && (errno == EINTR || errno == EAGAIN)) {
        return true;
    }
    if (count != static_cast<ssize_t>(sizeof message)) {
        return false;
    }
    if (message.kind == SupervisorMessage::Kind::signal) {
        // `command` is a child that has not been reaped, so the number is still its own.
        ::kill(message.whole_group ? -command : command, message.signal);
    }
    return true;
}

/// Takes `descriptor` over as `number`, above which nothing is open yet.
int put_at(int descriptor, int number) {
    if (descriptor == number || descriptor < 0) {
        return descriptor < 0 ? -1 : 0;
    }
    const int moved = ::dup3(descriptor, number, O_CLOEXEC);
    ::close(descriptor);
    return moved;
}

int watch(int descriptor) {
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.fd = descriptor;
    return ::epoll_ctl(kEvents, EPOLL_CTL_ADD, descriptor, &event);
}

} // namespace

int keep_only_own_descriptors(int control, bool shares_pid_namespace) {
    if (control != kControl) {
        if (::dup3(control, kControl, O_CLOEXEC) < 0) {
            return -1;
        }
    }
    if (sys::close_from(kControl + 1) < 0) {
        return -1;
    }
    sigset_t child_ended;
    ::sigemptyset(&child_ended);
    ::sigaddset(&child_ended, SIGCHLD);
    if (put_at(::signalfd(-1, &child_ended, SFD_CLOEXEC | SFD_NONBLOCK), kSignals) < 0 ||
        put_at(::epoll_create1(EPOLL_CLOEXEC), kEvents) < 0 || watch(kControl) < 0 || watch(kSignals) < 0) {
        return -1;
    }
    return shares_pid_namespace ? put_at(open_children_list(), kChildren) : 0;
}

void hide_command_line(char** arguments, std::string_view name) {
    // The kernel laid argv's strings and then environ's into one block.
    char* start = arguments[0] != nullptr ? arguments[0] : environ[0];
    char* end = start;
    for (char** word = arguments; *word != nullptr; ++word) {
        end = *word == end ? *word + std::strlen(*word) + 1 : end;
    }
    for (char** word = environ; word != nullptr && *word != nullptr; ++word) {
        end = *word == end ? *word + std::strlen(*word) + 1 : end;
    }
    const auto room = static_cast<std::size_t>(end - start);
    if (room != 0) {
        std::memset(start, 0, room);
        std::memcpy(start, name.data(), std::min(room - 1, name.size()));
    }
    char short_name[16] = {};
    name.copy(short_name, sizeof short_name - 1);
    ::prctl(PR_SET_NAME, short_name, 0, 0, 0);
}

int lock(bool shares_pid_namespace) {
    constexpr sock_filter kHead[] = {
        load(offsetof(seccomp_data, arch)), if_equal(kNativeArchitecture),    BPF_JUMP(BPF_JMP | BPF_JA, 1, 0, 0),
        answer(SECCOMP_RET_KILL_PROCESS),   load(offsetof(seccomp_data, nr)),
    };
    constexpr int kCalls[] = {SYS_read,  SYS_write, SYS_epoll_pwait, SYS_wait4,           SYS_kill,
                              SYS_close, SYS_exit,  SYS_exit_group,  SYS_restart_syscall, SYS_rt_sigreturn};
#if defined(__SANITIZE_ADDRESS__)
    // AddressSanitizer allocates below the calls that it watches, and looks at the stack before those that do not
    // return.
    constexpr int kSanitizerCalls[] = {SYS_mmap, SYS_munmap, SYS_madvise, SYS_futex, SYS_gettid, SYS_sigaltstack};
#else
    constexpr std::array<int, 0> kSanitizerCalls{};
#endif
    constexpr std::size_t kMostCalls = std::size(kCalls) + std::size(kSanitizerCalls) + 1;
    sock_filter program[std::size(kHead) + 2 * kMostCalls + 1];
    std::size_t length = 0;
    for (const sock_filter& instruction : kHead) {
        program[length++] = instruction;
    }
    const auto allow = [&](int call) {
        program[length++] = if_call(call);
        program[length++] = kAllow;
    };
    for (const int call : kCalls) {
        allow(call);
    }
    for (const int call : kSanitizerCalls) {
        allow(call);
    }
    if (shares_pid_namespace) {
        allow(SYS_lseek);
    }
    program[length++] = kRefuse;
    const sock_fprog filter{static_cast<unsigned short>(length), program};
    return sys::result_of(::syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &filter));
}

void run(pid_t command, const ChildMessage& started, Takes takes) {
    send(started);
    for (;;) {
        // Not poll(2): CMD may lower our RLIMIT_NOFILE (prlimit(2) asks for nothing but the same ids), which that
        // obeys.
        epoll_event ready[2];
        const int count = ::epoll_pwait(kEvents, ready, std::size(ready), -1, nullptr);
        for (int i = 0; i < count; ++i) {
            if (ready[i].data.fd == kSignals) {
                signalfd_siginfo arrived;
                [[maybe_unused]] const ssize_t taken = ::read(kSignals, &arrived, sizeof arrived);
                const int ended = reap(command);
                if (ended >= 0) {
                    leave(0, takes, ended); // it has been reaped: the number may be another's by now
                }
            } else if (!obey(command)) {
                leave(command, takes, 0);
            }
        }
        if (count < 0 && errno != EINTR) {
            ChildMessage failed{};
            failed.kind = ChildMessage::Kind::failed;
            failed.failure.step = Step::wait_for_command;
            failed.failure.error_number = errno;
            send(failed);
            leave(command, takes, kOwnFailure);
        }
    }
}

int open_children_list() {
    return ::open("/proc/thread-self/children", O_RDONLY | O_CLOEXEC);
}

void kill_descendants(int children_list) {
    for (;;) {
        char text[4096];
        ::lseek(children_list, 0, SEEK_SET);
        const ssize_t count = ::read(children_list, text, sizeof text);
        if (count < 0) {
            return; // nobody can be named, and waiting for them could last for ever
        }
        pid_t pid = 0;
        for (ssize_t i = 0; i < count; ++i) {
            if (text[i] >= '0' && text[i] <= '9') {
                pid = pid * 10 + (text[i] - '0');
            } else if (pid != 0) {
                ::kill(pid, SIGKILL);
                pid = 0;
            }
        }
        // One is waited for, so that the loop does not spin; its own children are then in the list.
        if (::waitpid(-1, nullptr, 0) < 0 && errno == ECHILD) {
            return;
        }
    }
}

DescendantReaper::DescendantReaper(bool shares_pid_namespace) {
    if (!shares_pid_namespace) {
        return;
    }
    children_list_.reset(open_children_list());
    if (!children_list_ || ::prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) < 0) {
        throw Error("cannot become the reaper of the sandbox's processes").kernel(errno);
    }
}

DescendantReaper::~DescendantReaper() {
    if (children_list_) {
        kill_descendants(children_list_.get());
    }
}

} // namespace sandbox::init
