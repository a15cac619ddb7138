#include "netns/inside.hpp"

#include <fcntl.h>
#include <sched.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include <fmt/format.h>

#include "core/base/child_process.hpp"
#include "core/base/error.hpp"
#include "core/base/exit_status.hpp"
#include "core/base/file.hpp"
#include "core/base/sys.hpp"
#include "core/companion.hpp"

namespace sandbox::netns {

namespace {

/// One descriptor, or the errno of what should have been one, beside which none travels. Plain code.
/// \return false where the other end is gone.
bool pass(int socket, int descriptor) {
    int error_number = descriptor < 0 ? errno : 0;
    iovec part{&error_number, sizeof error_number};
    alignas(cmsghdr) char buffer[CMSG_SPACE(sizeof descriptor)] = {};
    msghdr header{};
    header.msg_iov = &part;
    header.msg_iovlen = 1;
    if (descriptor >= 0) {
        header.msg_control = buffer;
        header.msg_controllen = sizeof buffer;
        cmsghdr* const rights = CMSG_FIRSTHDR(&header);
        rights->cmsg_level = SOL_SOCKET;
        rights->cmsg_type = SCM_RIGHTS;
        rights->cmsg_len = CMSG_LEN(sizeof descriptor);
        std::memcpy(CMSG_DATA(rights), &descriptor, sizeof descriptor);
    }
    return ::sendmsg(socket, &header, MSG_NOSIGNAL) > 0;
}

/// \return what was passed, or nothing and errno.
Fd take(int socket) {
    int error_number = 0;
    iovec part{&error_number, sizeof error_number};
    alignas(cmsghdr) char buffer[CMSG_SPACE(sizeof(int))] = {};
    msghdr header{};
    header.msg_iov = &part;
    header.msg_iovlen = 1;
    header.msg_control = buffer;
    header.msg_controllen = sizeof buffer;
    ssize_t count = -1;
    do {
        count = ::recvmsg(socket, &header, MSG_CMSG_CLOEXEC);
    } while (count < 0 && errno == EINTR);
    if (count != static_cast<ssize_t>(sizeof error_number)) {
        errno = count < 0 ? errno : ECONNRESET; // it ended without a word
        return {};
    }
    const cmsghdr* const rights = CMSG_FIRSTHDR(&header);
    if (rights == nullptr) {
        const bool is_full = (header.msg_flags & MSG_CTRUNC) != 0; // unix(7): there was one, and no room for it
        errno = is_full ? EMFILE : error_number;
        return {};
    }
    int descriptor = -1;
    std::memcpy(&descriptor, CMSG_DATA(rights), sizeof descriptor);
    return Fd(descriptor);
}

/// A process in the namespaces, and the socket on which it passes what `open` opens, `count` times.
/// `open(i)` is plain code; it may first enter a namespace more.
template <class Open>
std::vector<Fd> open_in(const Surroundings& surroundings, std::size_t count, const char* what, const Open& open) {
    int ends[2] = {-1, -1};
    if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0) {
        throw Error(std::string("cannot make a socket to ") + what).kernel(errno);
    }
    const Fd ours(ends[0]);
    Fd theirs(ends[1]);
    const pid_t parent = ::getpid();
    int pidfd = -1;
    const pid_t pid = sys::clone(0, &pidfd);
    if (pid == 0) {
        if (enter_surroundings(surroundings, parent) < 0) {
            pass(theirs.get(), -1);
            ::_exit(kOwnFailure);
        }
        for (std::size_t i = 0; i < count; ++i) {
            const int descriptor = open(i);
            if (!pass(theirs.get(), descriptor) || descriptor < 0 || ::close(descriptor) < 0) {
                ::_exit(kOwnFailure);
            }
        }
        ::_exit(0);
    }
    if (pid < 0) {
        throw Error(std::string("cannot make a process in ") + what).kernel(errno);
    }
    const ChildProcess process(pid, Fd(pidfd));
    theirs.reset();
    std::vector<Fd> opened;
    for (std::size_t i = 0; i < count; ++i) {
        opened.push_back(take(ours.get()));
        if (!opened.back()) {
            throw Error(std::string("cannot open ") + what).kernel(errno);
        }
    }
    return opened;
}

} // namespace

Fd make_net_namespace(int user_namespace) {
    const Surroundings surroundings{.user_namespace = user_namespace};
    return std::move(open_in(surroundings, 1, "a network namespace beside the sandbox's", [](std::size_t) {
                         return ::unshare(CLONE_NEWNET) < 0 ? -1 : ::open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
                     }).front());
}

std::vector<Fd> open_sockets_in(int user_namespace, int net_namespace, std::span<const SocketKind> kinds) {
    const Surroundings surroundings{.user_namespace = user_namespace, .net_namespace = net_namespace};
    return open_in(surroundings, kinds.size(), "a socket in the sandbox's network", [&](std::size_t i) {
        return ::socket(kinds[i].domain, kinds[i].type | SOCK_CLOEXEC, kinds[i].protocol);
    });
}

void set_sysctl_in(int user_namespace, int net_namespace, const char* path, const std::string& value) {
    const Surroundings surroundings{.user_namespace = user_namespace, .net_namespace = net_namespace};
    // What is opened is the file of the namespace that one stands in then; to write it takes rights there alone.
    const std::vector<Fd> files = open_in(surroundings, 1, "a file of /proc/sys/net", [&](std::size_t) {
        const int file = ::open(path, O_WRONLY | O_CLOEXEC);
        return file >= 0 || errno != EROFS ? file : ::open("/dev/null", O_WRONLY | O_CLOEXEC);
    });
    if (!write_all(files.front().get(), value)) {
        throw Error(fmt::format("cannot write '{}' of the sandbox's network", path)).kernel(errno);
    }
}

} // namespace sandbox::netns
