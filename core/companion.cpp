#include "core/companion.hpp"

#include <fcntl.h>
#include <linux/capability.h>
#include <poll.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <utility>

#include "core/base/error.hpp"
#include "core/base/exit_status.hpp"
#include "core/base/pipe.hpp"
#include "core/base/sys.hpp"
#include "core/confinement.hpp"

namespace sandbox {

namespace {

/// What `start` sends, beside the descriptors: the namespaces first, then what the program gets.
struct Order {
    bool has_net_namespace = false;
    bool becomes_other = false; ///< `becomes` counts
    bool is_confined = false;
    NamespaceIds becomes = {};
    std::size_t descriptors = 0;
};
constexpr std::size_t kMostSent = Companion::kMostLate + 2;

/// All that the new process needs, laid out before clone.
struct Launch {
    std::vector<char*> arguments;
    std::vector<int> descriptors;   ///< that the program gets from the start
    int standard[3] = {-1, -1, -1}; ///< become the standard three
    int orders = -1;
    int failure = -1; ///< takes the errno where execve is not reached
    pid_t parent = 0;
    std::vector<Fd> copies; ///< what the numbers above stand for
};

/// What the parent and the new process have in common, besides what the program gets.
struct Ends {
    int output = -1;
    int orders = -1;
    int failure = -1;
};

/// The numbers that the program gets are dup2(2)'s targets, so all that is needed until then is copied to above them.
/// \throws Error where a descriptor cannot be duplicated.
Launch lay_out(const std::vector<std::string>& arguments, std::span<const int> descriptors, const Streams& streams,
               const Ends& ends) {
    Launch launch;
    const int first_free = STDERR_FILENO + 1 + static_cast<int>(descriptors.size() + Companion::kMostLate);
    const auto above = [&](int descriptor) {
        launch.copies.emplace_back(::fcntl(descriptor, F_DUPFD_CLOEXEC, first_free));
        if (!launch.copies.back()) {
            throw Error("cannot duplicate a descriptor for " + quoted(arguments[0])).kernel(errno);
        }
        return launch.copies.back().get();
    };
    for (const std::string& argument : arguments) {
        launch.arguments.push_back(const_cast<char*>(argument.c_str()));
    }
    launch.arguments.push_back(nullptr);
    for (const int descriptor : descriptors) {
        launch.descriptors.push_back(above(descriptor));
    }
    const Fd null(::open("/dev/null", O_RDWR | O_CLOEXEC));
    std::ranges::fill(launch.standard, above(null.get()));
    launch.standard[streams.output] = above(ends.output);
    if (streams.input >= 0) {
        launch.standard[STDIN_FILENO] = above(streams.input);
    }
    launch.orders = above(ends.orders);
    launch.failure = above(ends.failure);
    launch.parent = ::getpid();
    return launch;
}

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

/// Waits for the order; without one the parent is gone. \return how many descriptors came, or -1.
int receive_order(int socket, Order& order, int (&received)[kMostSent]) {
    iovec part{&order, sizeof order};
    alignas(cmsghdr) char buffer[CMSG_SPACE(sizeof received)] = {};
    msghdr header{};
    header.msg_iov = &part;
    header.msg_iovlen = 1;
    header.msg_control = buffer;
    header.msg_controllen = sizeof buffer;
    ssize_t count = -1;
    do {
        count = ::recvmsg(socket, &header, MSG_CMSG_CLOEXEC);
    } while (count < 0 && errno == EINTR);
    const cmsghdr* rights = count == static_cast<ssize_t>(sizeof order) ? CMSG_FIRSTHDR(&header) : nullptr;
    if (rights == nullptr || rights->cmsg_type != SCM_RIGHTS) {
        return -1;
    }
    const std::size_t size = rights->cmsg_len - CMSG_LEN(0);
    std::memcpy(received, CMSG_DATA(rights), size);
    return static_cast<int>(size / sizeof(int));
}

/// Puts the descriptors where the program looks for them; `late` are above all of these numbers by then.
int place_descriptors(const Launch& launch, std::span<const int> late) {
    for (const int number : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
        if (::dup2(launch.standard[number], number) < 0) {
            return -1;
        }
    }
    int number = STDERR_FILENO;
    for (const std::span<const int> part : {std::span<const int>(launch.descriptors), late}) {
        for (const int descriptor : part) {
            if (::dup2(descriptor, ++number) < 0) {
                return -1;
            }
        }
    }
    return 0;
}

[[noreturn]] void leave(const Launch& launch) {
    const int error_number = errno;
    [[maybe_unused]] const ssize_t written = ::write(launch.failure, &error_number, sizeof error_number);
    ::_exit(kOwnFailure);
}

/// What the supervisor knows the confined program by: it ends as that does, and that is killed when it is.
[[noreturn]] void stand_for(pid_t program) {
    // Neither the pipe that tells of a failure nor any other stays open here.
    static_cast<void>(sys::close_from(0));
    static_cast<void>(drop_all_capabilities());
    int status = 0;
    while (::waitpid(program, &status, 0) < 0 && errno == EINTR) {
    }
    if (WIFSIGNALED(status)) {
        ::raise(WTERMSIG(status));
    }
    ::_exit(WIFEXITED(status) ? WEXITSTATUS(status) : kOwnFailure);
}

/// The program becomes pid 1 of a pid namespace: what it forks ends with it.
int confine() {
    const Fd self(sys::pidfd_open(::getpid()));
    if (!self || enter_confinement() < 0) {
        return -1;
    }
    int pidfd = -1;
    const pid_t pid = sys::clone(0, &pidfd);
    if (pid > 0) {
        stand_for(pid);
    }
    if (pid < 0 || ::prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0) {
        return -1;
    }
    // The parent has no number in this pid namespace to ask for, and may be gone by now.
    pollfd parent{.fd = self.get(), .events = POLLIN, .revents = 0};
    if (::poll(&parent, 1, 0) != 0) {
        errno = ESRCH;
        return -1;
    }
    return keep_network_capabilities();
}

int take_rights(const Surroundings& surroundings) {
    if (surroundings.is_confined) {
        return confine();
    }
    const bool is_root = surroundings.becomes && surroundings.becomes->uid == 0;
    return is_root ? 0 : keep_capabilities(); // execve(2) leaves root what it has
}

/// In the new process.
[[noreturn]] void become(const Launch& launch) {
    reset_signals();
    ::setsid();
    ::prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
    // A parent that was gone before sends no signal any more, and the order would not come: pid 1, which waits for the
    // parent too, has copies of its sockets, as we have.
    if (::getppid() != launch.parent) {
        ::_exit(kOwnFailure);
    }
    Order order;
    int received[kMostSent] = {};
    const int count = receive_order(launch.orders, order, received);
    const int namespaces = order.has_net_namespace ? 2 : 1;
    if (count != namespaces + static_cast<int>(order.descriptors)) {
        ::_exit(kOwnFailure);
    }
    // Out of the way of the numbers that the program gets.
    const int first_free = STDERR_FILENO + 1 + static_cast<int>(launch.descriptors.size() + order.descriptors);
    for (int i = 0; i < count; ++i) {
        received[i] = ::fcntl(received[i], F_DUPFD_CLOEXEC, first_free);
        if (received[i] < 0) {
            leave(launch);
        }
    }
    const Surroundings surroundings{.user_namespace = received[0],
                                    .net_namespace = order.has_net_namespace ? received[1] : -1,
                                    .becomes = order.becomes_other ? std::optional(order.becomes) : std::nullopt,
                                    .is_confined = order.is_confined};
    char* const nothing[] = {nullptr};
    const std::span<const int> late(received + namespaces, order.descriptors);
    const bool prepared = enter_surroundings(surroundings, launch.parent) == 0 && take_rights(surroundings) == 0 &&
                          place_descriptors(launch, late) == 0;
    if (prepared) {
        // Whatever else is open was opened with O_CLOEXEC.
        ::execve(launch.arguments[0], launch.arguments.data(), nothing);
    }
    leave(launch);
}

} // namespace

int drop_all_capabilities() {
    __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
    const __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = {};
    return sys::result_of(::syscall(SYS_capset, &header, none));
}

int enter_surroundings(const Surroundings& surroundings, pid_t parent) {
    if (::setns(surroundings.user_namespace, CLONE_NEWUSER) < 0 ||
        (surroundings.net_namespace >= 0 && ::setns(surroundings.net_namespace, CLONE_NEWNET) < 0)) {
        return -1;
    }
    // EPERM: the map is of one id, and forbids it: user_namespaces(7).
    if (surroundings.is_confined && ::syscall(SYS_setgroups, 0, nullptr) < 0 && errno != EPERM) {
        return -1;
    }
    if (const auto& own = surroundings.becomes;
        own && (::setresgid(own->gid, own->gid, own->gid) < 0 || ::setresuid(own->uid, own->uid, own->uid) < 0)) {
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

Companion::Companion(const std::vector<std::string>& arguments, std::span<const int> descriptors,
                     const Streams& streams)
    : program_(arguments[0]) {
    auto [output, output_end] = make_pipe(quoted(program_));
    auto [failure, failure_end] = make_pipe(quoted(program_));
    int ends[2] = {-1, -1};
    if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0) {
        throw Error("cannot make a socket to " + quoted(program_)).kernel(errno);
    }
    orders_.reset(ends[0]);
    const Fd orders_end(ends[1]);

    const Launch launch =
        lay_out(arguments, descriptors, streams,
                {.output = output_end.get(), .orders = orders_end.get(), .failure = failure_end.get()});
    int pidfd = -1;
    const pid_t pid = sys::clone(0, &pidfd);
    if (pid == 0) {
        orders_.reset(); // the parent's end: with a copy of it here its closing would not be heard
        become(launch);
    }
    if (pid < 0) {
        throw Error("cannot make a process for " + quoted(program_)).kernel(errno);
    }
    process_ = ChildProcess(pid, Fd(pidfd));
    output_ = std::move(output);
    failure_ = std::move(failure);
}

void Companion::start(const Surroundings& surroundings, std::span<const int> descriptors) {
    Order order{.has_net_namespace = surroundings.net_namespace >= 0,
                .becomes_other = surroundings.becomes.has_value(),
                .is_confined = surroundings.is_confined,
                .becomes = surroundings.becomes.value_or(NamespaceIds{}),
                .descriptors = descriptors.size()};
    std::vector<int> sent = {surroundings.user_namespace};
    if (order.has_net_namespace) {
        sent.push_back(surroundings.net_namespace);
    }
    sent.insert(sent.end(), descriptors.begin(), descriptors.end());
    iovec part{&order, sizeof order};
    alignas(cmsghdr) char buffer[CMSG_SPACE(kMostSent * sizeof(int))] = {};
    msghdr header{};
    header.msg_iov = &part;
    header.msg_iovlen = 1;
    header.msg_control = buffer;
    header.msg_controllen = CMSG_SPACE(sent.size() * sizeof(int));
    cmsghdr* const rights = CMSG_FIRSTHDR(&header);
    rights->cmsg_level = SOL_SOCKET;
    rights->cmsg_type = SCM_RIGHTS;
    rights->cmsg_len = CMSG_LEN(sent.size() * sizeof(int));
    std::memcpy(CMSG_DATA(rights), sent.data(), sent.size() * sizeof(int));
    const bool is_sent = ::sendmsg(orders_.get(), &header, MSG_NOSIGNAL) == static_cast<ssize_t>(sizeof order);
    int error_number = is_sent ? 0 : errno;
    orders_.reset();
    if (is_sent && ::read(failure_.get(), &error_number, sizeof error_number) < 0) {
        error_number = errno;
    }
    failure_.reset();
    if (error_number != 0) {
        throw Error("cannot execute " + quoted(program_) + " beside the sandbox").kernel(error_number);
    }
}

bool Companion::drain() {
    constexpr std::size_t kMost = std::size_t{1024} * 1024;
    char buffer[4096];
    const ssize_t count = ::read(output_.get(), buffer, sizeof buffer);
    if (count > 0 && said_.size() < kMost) {
        said_.append(buffer, static_cast<std::size_t>(count));
    }
    return count > 0 || (count < 0 && errno == EINTR);
}

std::string Companion::take_said() {
    pollfd output{.fd = output_.get(), .events = POLLIN, .revents = 0};
    while (::poll(&output, 1, 0) > 0 && drain()) {
    }
    return std::exchange(said_, {});
}

HelperResult Companion::finish() {
    while (drain()) {
    }
    return {.status = process_.wait(), .said = std::move(said_)};
}

} // namespace sandbox
