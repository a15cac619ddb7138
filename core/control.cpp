#include "core/control.hpp"

#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "core/base/error.hpp"

namespace sandbox::control {

Pair make_pair() {
    int ends[2];
    if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0) {
        throw Error("cannot make the socket to the sandbox's pid 1").kernel(errno);
    }
    Pair pair{Fd(ends[0]), Fd(ends[1])};
    // The kernel then adds the sender's credentials to every packet, translated into our pid namespace.
    const int on = 1;
    if (::setsockopt(pair.supervisor.get(), SOL_SOCKET, SO_PASSCRED, &on, sizeof on) < 0) {
        throw Error("cannot make the socket to the sandbox's pid 1").kernel(errno);
    }
    return pair;
}

namespace {

/// One descriptor stands alone; more are the namespaces, and what comes with them.
void take_descriptors(const cmsghdr& rights, Received& received) {
    int passed[kMostPassed];
    const std::size_t count = (rights.cmsg_len - CMSG_LEN(0)) / sizeof(int);
    std::memcpy(passed, CMSG_DATA(&rights), count * sizeof(int));
    if (count == 1) {
        received.descriptor.reset(passed[0]);
        return;
    }
    for (std::size_t i = 0; i < count; ++i) {
        Fd& place = i < received.namespaces.size() ? received.namespaces[i] : received.descriptor;
        place.reset(passed[i]);
    }
}

} // namespace

std::optional<Received> receive(int socket) {
    Received received;
    iovec part{&received.message, sizeof received.message};
    alignas(cmsghdr) char buffer[CMSG_SPACE(kMostPassed * sizeof(int)) + CMSG_SPACE(sizeof(ucred))] = {};
    msghdr header{};
    header.msg_iov = &part;
    header.msg_iovlen = 1;
    header.msg_control = buffer;
    header.msg_controllen = sizeof buffer;
    ssize_t count = -1;
    int resets = 0;
    do {
        // A child that ended with our last message unread resets the connection once; what it said before is still
        // there.
        count = ::recvmsg(socket, &header, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
    } while (count < 0 && (errno == EINTR || (errno == ECONNRESET && resets++ == 0)));
    for (cmsghdr* extra = count > 0 ? CMSG_FIRSTHDR(&header) : nullptr; extra != nullptr;
         extra = CMSG_NXTHDR(&header, extra)) {
        if (extra->cmsg_level == SOL_SOCKET && extra->cmsg_type == SCM_RIGHTS) {
            take_descriptors(*extra, received);
        } else if (extra->cmsg_level == SOL_SOCKET && extra->cmsg_type == SCM_CREDENTIALS) {
            ucred sender{};
            std::memcpy(&sender, CMSG_DATA(extra), sizeof sender);
            received.sender = sender.pid;
        }
    }
    if (count != static_cast<ssize_t>(sizeof received.message)) {
        errno = count < 0 ? errno : ECONNRESET;
        return std::nullopt;
    }
    return received;
}

bool send(int socket, const SupervisorMessage& message) {
    return ::send(socket, &message, sizeof message, MSG_NOSIGNAL) == static_cast<ssize_t>(sizeof message);
}

int send_descriptor(int socket, ChildMessage::Kind kind, int descriptor) {
    ChildMessage message{};
    message.kind = kind;
    return send_descriptors(socket, message, std::span(&descriptor, 1));
}

int send_descriptors(int socket, const ChildMessage& message, std::span<const int> descriptors) {
    iovec part{const_cast<ChildMessage*>(&message), sizeof message};
    alignas(cmsghdr) char buffer[CMSG_SPACE(kMostPassed * sizeof(int))] = {};
    msghdr header{};
    header.msg_iov = &part;
    header.msg_iovlen = 1;
    header.msg_control = buffer;
    header.msg_controllen = CMSG_SPACE(descriptors.size_bytes());
    cmsghdr* rights = CMSG_FIRSTHDR(&header);
    rights->cmsg_level = SOL_SOCKET;
    rights->cmsg_type = SCM_RIGHTS;
    rights->cmsg_len = CMSG_LEN(descriptors.size_bytes());
    std::memcpy(CMSG_DATA(rights), descriptors.data(), descriptors.size_bytes());
    return static_cast<int>(::sendmsg(socket, &header, MSG_NOSIGNAL));
}

namespace {

bool wait_for(int socket, SupervisorMessage::Kind kind) {
    SupervisorMessage message{};
    const ssize_t count = ::read(socket, &message, sizeof message);
    if (count == static_cast<ssize_t>(sizeof message) && message.kind == kind) {
        return true;
    }
    errno = count < 0 ? errno : ECONNRESET;
    return false;
}

} // namespace

bool wait_for_proceed(int socket) {
    return wait_for(socket, SupervisorMessage::Kind::proceed);
}

int wait_for_ready(int socket) {
    return wait_for(socket, SupervisorMessage::Kind::ready) ? 0 : -1;
}

} // namespace sandbox::control
