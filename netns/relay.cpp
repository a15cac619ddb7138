#include "netns/relay.hpp"

#include <sys/socket.h>

#include <cerrno>

namespace sandbox::netns {

namespace {

bool would_block() {
    return errno == EAGAIN || errno == EINTR;
}

/// \return false where one of the two is broken.
bool pass_on(Flow& flow, int source, int sink) {
    constexpr int kMostRounds = 16;
    for (int round = 0; round < kMostRounds; ++round) {
        if (flow.has_room()) {
            const ssize_t count = ::recv(source, flow.buffer + flow.end, kBufferSize - flow.end, MSG_DONTWAIT);
            if (count < 0 && !would_block()) {
                return false;
            }
            flow.source_ended = count == 0;
            flow.end += count > 0 ? static_cast<std::size_t>(count) : 0;
        }
        if (!flow.has_bytes()) {
            break;
        }
        const ssize_t count =
            ::send(sink, flow.buffer + flow.begin, flow.end - flow.begin, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (count < 0) {
            return would_block();
        }
        flow.begin += static_cast<std::size_t>(count);
        if (!flow.has_bytes()) {
            flow.begin = flow.end = 0;
        }
    }
    if (flow.source_ended && !flow.has_bytes() && !flow.is_closed) {
        // The other direction goes on: a client may have said all and wait for the answer.
        ::shutdown(sink, SHUT_WR);
        flow.is_closed = true;
    }
    return true;
}

} // namespace

bool pass_on(Connection& connection) {
    return pass_on(connection.to_server, connection.client, connection.server) &&
           pass_on(connection.to_client, connection.server, connection.client) &&
           !(connection.to_server.is_closed && connection.to_client.is_closed);
}

} // namespace sandbox::netns
