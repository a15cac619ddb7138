#include "netns/forwarder.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "core/base/error.hpp"
#include "core/base/exit_status.hpp"
#include "core/base/pipe.hpp"
#include "core/base/sys.hpp"
#include "core/companion.hpp"
#include "core/plan/network_plan.hpp"
#include "netns/relay.hpp"

namespace sandbox::netns {

namespace {

constexpr std::size_t kMostConnections = 1024; // more wait in the listener's queue
constexpr std::size_t kMostSessions = 256;

/// A client of a UDP port and the socket inside that speaks for it. The oldest makes room for a new one.
struct Session {
    bool is_used = false; ///< else the slot is free
    int server = -1;
    bool is_ipv6 = false; ///< of the server
    std::size_t listener = 0;
    std::uint64_t last_used = 0;
    sockaddr_storage client{};
    socklen_t client_length = 0;
};

/// What the process works with: zeroed pages that take up memory only where they are used.
struct State {
    std::array<Connection, kMostConnections> connections;
    std::array<Session, kMostSessions> sessions;
    std::uint64_t clock;
    std::array<std::array<std::byte, kBufferSize>, 2 * kMostConnections> buffers;
};

/// What an event is about, in epoll_event's word: the kind above, a number below.
enum class Subject : std::uint32_t { listener, client, server, session };

constexpr std::uint64_t event_word(Subject subject, std::size_t number) {
    return (static_cast<std::uint64_t>(subject) << 32) | number;
}

class Forwarder {
public:
    Forwarder(const std::vector<Listener>& listeners, State& state, int epoll, Target target)
        : listeners_(listeners), state_(state), epoll_(epoll) {
        target_.s_addr = htonl(INADDR_LOOPBACK);
        if (target == Target::interface) {
            ::inet_pton(AF_INET, kSandboxAddress, &target_);
        }
        has_ipv6_target_ = target == Target::loopback;
    }

    [[noreturn]] void run() {
        watch_listeners(EPOLL_CTL_ADD, EPOLLIN);
        std::array<epoll_event, 64> ready{};
        for (;;) {
            const int count = ::epoll_wait(epoll_, ready.data(), static_cast<int>(ready.size()), -1);
            for (int i = 0; i < count; ++i) {
                const epoll_event& event = ready.at(static_cast<std::size_t>(i));
                serve(static_cast<Subject>(event.data.u64 >> 32), event.data.u64 & 0xffffffff, event.events);
            }
        }
    }

private:
    void watch(int operation, int descriptor, std::uint32_t events, std::uint64_t word) const {
        epoll_event event{};
        event.events = events;
        event.data.u64 = word;
        ::epoll_ctl(epoll_, operation, descriptor, &event);
    }

    void watch_listeners(int operation, std::uint32_t events) const {
        for (std::size_t i = 0; i < listeners_.size(); ++i) {
            watch(operation, listeners_[i].socket.get(), events, event_word(Subject::listener, i));
        }
    }

    void serve(Subject subject, std::size_t number, std::uint32_t events) {
        switch (subject) {
        case Subject::listener:
            if (listeners_[number].port.is_udp) {
                receive_datagrams(number);
            } else {
                accept_connections(number);
            }
            break;
        case Subject::client:
        case Subject::server:
            serve_connection(number, subject == Subject::server, events);
            break;
        case Subject::session:
            answer_datagrams(state_.sessions.at(number));
            break;
        }
    }

    // --- TCP ---

    void accept_connections(std::size_t number) {
        for (std::size_t slot = 0; slot < kMostConnections; ++slot) {
            Connection& connection = state_.connections.at(slot);
            if (connection.is_used) {
                continue;
            }
            const int client =
                ::accept4(listeners_[number].socket.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
            if (client < 0 && (errno == EAGAIN || errno == ECONNABORTED || errno == EINTR)) {
                return;
            }
            if (client < 0) {
                break; // no descriptor left
            }
            connection = {};
            connection.is_used = true;
            connection.client = client;
            connection.port = listeners_[number].port.sandbox_port;
            connection.to_server.buffer = state_.buffers.at(2 * slot).data();
            connection.to_client.buffer = state_.buffers.at(2 * slot + 1).data();
            set_no_delay(client);
            watch(EPOLL_CTL_ADD, client, 0, event_word(Subject::client, slot));
            try_targets(connection, slot);
        }
        // Full: whoever comes next waits until one of these is over.
        watch_listeners(EPOLL_CTL_MOD, 0);
        is_full_ = true;
    }

    /// A small answer must not wait for the next one: the two ends had no such delay between them.
    static void set_no_delay(int socket) {
        const int on = 1;
        ::setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    }

    /// 127.0.0.1, then ::1; or the one address that there is.
    void try_targets(Connection& connection, std::size_t slot) {
        for (; connection.target < (has_ipv6_target_ ? 2U : 1U); ++connection.target) {
            connection.server = open_inside(connection.target == 1, SOCK_STREAM, connection.port);
            if (connection.server >= 0) {
                connection.is_connecting = true;
                set_no_delay(connection.server);
                watch(EPOLL_CTL_ADD, connection.server, EPOLLOUT, event_word(Subject::server, slot));
                return;
            }
        }
        // Nobody listens inside: the client finds its connection reset.
        const linger at_once{.l_onoff = 1, .l_linger = 0};
        ::setsockopt(connection.client, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
        end(connection);
    }

    /// A socket on its way to the target; -1 where that is refused at once.
    [[nodiscard]] int open_inside(bool is_ipv6, int type, std::uint16_t port) const {
        const int socket = ::socket(is_ipv6 ? AF_INET6 : AF_INET, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        sockaddr_in ipv4{};
        ipv4.sin_family = AF_INET;
        ipv4.sin_port = htons(port);
        ipv4.sin_addr = target_;
        sockaddr_in6 ipv6{};
        ipv6.sin6_family = AF_INET6;
        ipv6.sin6_port = htons(port);
        ipv6.sin6_addr = in6addr_loopback;
        const int result = is_ipv6 ? ::connect(socket, reinterpret_cast<const sockaddr*>(&ipv6), sizeof ipv6)
                                   : ::connect(socket, reinterpret_cast<const sockaddr*>(&ipv4), sizeof ipv4);
        if (result < 0 && errno != EINPROGRESS) {
            ::close(socket);
            return -1;
        }
        return socket;
    }

    void serve_connection(std::size_t slot, bool is_server, std::uint32_t events) {
        Connection& connection = state_.connections.at(slot);
        if (!connection.is_used) {
            return; // ended by an earlier event of the same round
        }
        if (connection.is_connecting) {
            if (!is_server) {
                return end(connection); // the client gave up
            }
            if (take_error(connection.server) != 0) {
                ::close(connection.server);
                connection.server = -1;
                ++connection.target;
                return try_targets(connection, slot);
            }
            connection.is_connecting = false;
        }
        // An error of one end ends the other; a hang-up alone may leave bytes to be read.
        if ((events & EPOLLERR) != 0 || !pass_on(connection)) {
            return end(connection);
        }
        update(connection, slot);
    }

    void update(const Connection& connection, std::size_t slot) const {
        watch_end(connection.client, connection.to_server, connection.to_client, event_word(Subject::client, slot));
        watch_end(connection.server, connection.to_client, connection.to_server, event_word(Subject::server, slot));
    }

    void watch_end(int socket, const Flow& from, const Flow& to, std::uint64_t word) const {
        const std::uint32_t events = (from.has_room() ? EPOLLIN : 0U) | (to.has_bytes() ? EPOLLOUT : 0U);
        // A socket that is done with would tell its hang-up again and again while the other end is slow.
        const bool is_done = from.source_ended && to.is_closed;
        watch(is_done ? EPOLL_CTL_DEL : EPOLL_CTL_MOD, socket, events, word);
    }

    void end(Connection& connection) {
        ::close(connection.client);
        if (connection.server >= 0) {
            ::close(connection.server);
        }
        connection.is_used = false;
        if (is_full_) {
            watch_listeners(EPOLL_CTL_MOD, EPOLLIN);
            is_full_ = false;
        }
    }

    // --- UDP ---

    void receive_datagrams(std::size_t number) {
        for (;;) {
            sockaddr_storage client{};
            socklen_t length = sizeof client;
            const ssize_t count = ::recvfrom(listeners_[number].socket.get(), datagram_.data(), datagram_.size(), 0,
                                             reinterpret_cast<sockaddr*>(&client), &length);
            if (count < 0) {
                return;
            }
            Session& session = find_session(number, client, length);
            session.last_used = ++state_.clock;
            pass_datagram(session, static_cast<std::size_t>(count));
        }
    }

    /// To 127.0.0.1, or to ::1 where nobody listens there; which of the two it is can change with each datagram.
    void pass_datagram(Session& session, std::size_t size) {
        for (int turns = 0; turns < 2; ++turns) {
            if (session.server >= 0) {
                static_cast<void>(take_error(session.server)); // of an earlier datagram
                ::send(session.server, datagram_.data(), size, MSG_DONTWAIT | MSG_NOSIGNAL);
                // On a loopback the refusal is there when send(2) returns.
                if (take_error(session.server) != ECONNREFUSED) {
                    return;
                }
            }
            turn(session, has_ipv6_target_ && !session.is_ipv6);
        }
    }

    static int take_error(int socket) {
        int error = 0;
        socklen_t length = sizeof error;
        ::getsockopt(socket, SOL_SOCKET, SO_ERROR, &error, &length);
        return error;
    }

    void turn(Session& session, bool is_ipv6) const {
        if (session.server >= 0) {
            ::close(session.server);
        }
        session.is_ipv6 = is_ipv6;
        session.server = open_inside(is_ipv6, SOCK_DGRAM, listeners_[session.listener].port.sandbox_port);
        if (session.server >= 0) {
            const auto slot = static_cast<std::size_t>(&session - state_.sessions.data());
            watch(EPOLL_CTL_ADD, session.server, EPOLLIN, event_word(Subject::session, slot));
        }
    }

    Session& find_session(std::size_t number, const sockaddr_storage& client, socklen_t length) {
        Session* oldest = &state_.sessions.front();
        for (Session& session : state_.sessions) {
            const bool is_it = session.is_used && session.listener == number && session.client_length == length &&
                               std::memcmp(&session.client, &client, length) == 0;
            if (is_it) {
                return session;
            }
            oldest = session.last_used < oldest->last_used ? &session : oldest;
        }
        if (!oldest->is_used) {
            oldest->server = -1; // zeroed memory
        }
        oldest->is_used = true;
        oldest->listener = number;
        oldest->client = client;
        oldest->client_length = length;
        turn(*oldest, false);
        return *oldest;
    }

    void answer_datagrams(Session& session) {
        for (;;) {
            const ssize_t count = ::recv(session.server, datagram_.data(), datagram_.size(), MSG_DONTWAIT);
            if (count < 0) {
                return;
            }
            ::sendto(listeners_[session.listener].socket.get(), datagram_.data(), static_cast<std::size_t>(count),
                     MSG_DONTWAIT | MSG_NOSIGNAL, reinterpret_cast<const sockaddr*>(&session.client),
                     session.client_length);
        }
    }

    const std::vector<Listener>& listeners_;
    State& state_;
    int epoll_;
    in_addr target_{};
    bool has_ipv6_target_ = true;
    bool is_full_ = false;
    std::array<std::byte, 65536> datagram_{};
};

/// Nothing of the supervisor's stays open but the listeners; `sockets` are their numbers, sorted.
int keep_only(const std::vector<int>& sockets) {
    const int null = ::open("/dev/null", O_RDWR | O_CLOEXEC);
    for (const int standard : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
        if (::dup2(null, standard) < 0) {
            return -1;
        }
    }
    unsigned first = STDERR_FILENO + 1;
    for (const int socket : sockets) {
        const auto number = static_cast<unsigned>(socket);
        if (number > first && sys::close_between(first, number - 1) < 0) {
            return -1;
        }
        first = number + 1;
    }
    return sys::close_from(first);
}

/// In the new process.
[[noreturn]] void become(const std::vector<Listener>& listeners, const std::vector<int>& sockets, State& state,
                         const Surroundings& surroundings, Target target, pid_t parent, int ready) {
    ::prctl(PR_SET_NAME, "sandbox-ports", 0, 0, 0);
    ::setsid();
    // What it was copied from stays closed to CMD, should they share a pid namespace.
    if (enter_surroundings(surroundings, parent) < 0 || ::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0 ||
        keep_only(sockets) < 0) {
        ::_exit(kOwnFailure);
    }
    rlimit limit{};
    ::getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &limit);
    const int epoll = ::epoll_create1(EPOLL_CLOEXEC);
    // The sockets of the host that it needs are open; what it can still do is to connect inside and to pass bytes on.
    if (epoll < 0 || drop_all_capabilities() < 0 || ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0) {
        ::_exit(kOwnFailure);
    }
    [[maybe_unused]] const ssize_t written = ::write(ready, "1", 1);
    ::close(ready);
    Forwarder(listeners, state, epoll, target).run();
}

} // namespace

ChildProcess start_forwarder(const std::vector<Listener>& listeners, int user_namespace, int net_namespace,
                             Target target) {
    void* memory =
        ::mmap(nullptr, sizeof(State), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED) {
        throw Error("cannot make room for the published ports").kernel(errno);
    }
    auto& state = *static_cast<State*>(memory); // zeroed: every slot is free
    const Surroundings surroundings{.user_namespace = user_namespace, .net_namespace = net_namespace};
    std::vector<int> sockets;
    for (const Listener& listener : listeners) {
        sockets.push_back(listener.socket.get());
    }
    Pipe ready = make_pipe("the published ports");
    sockets.push_back(ready.write_end.get());
    std::ranges::sort(sockets);
    const pid_t parent = ::getpid();
    int pidfd = -1;
    const pid_t pid = sys::clone(0, &pidfd);
    if (pid == 0) {
        become(listeners, sockets, state, surroundings, target, parent, ready.write_end.get());
    }
    const int error_number = errno;
    ::munmap(memory, sizeof(State));
    if (pid < 0) {
        throw Error("cannot make a process for the published ports").kernel(error_number);
    }
    ChildProcess process(pid, Fd(pidfd));
    ready.write_end.reset();
    char word = 0;
    if (::read(ready.read_end.get(), &word, 1) != 1) {
        throw Error("cannot open the published ports: their process ended before it was ready");
    }
    return process;
}

} // namespace sandbox::netns
