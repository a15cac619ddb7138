// Bytes between two TCP sockets: what the forwarder does with a connection, without its process.
// Plain code over memory that was set aside before.
#pragma once

#include <cstddef>
#include <cstdint>

namespace sandbox::netns {

constexpr std::size_t kBufferSize = std::size_t{64} * 1024;

/// One direction of a connection: what was read from one socket and not yet written to the other.
struct Flow {
    std::size_t begin = 0;
    std::size_t end = 0;
    bool source_ended = false;   ///< end of file was read
    bool is_closed = false;      ///< and was passed on: shutdown(2)
    std::byte* buffer = nullptr; ///< kBufferSize bytes, somebody else's

    [[nodiscard]] bool has_room() const { return end < kBufferSize && !source_ended; }
    [[nodiscard]] bool has_bytes() const { return begin != end; }
};

/// A client of the host and the server inside that it talks to. Half of it may be closed for as long as it likes.
struct Connection {
    bool is_used = false; ///< else the slot is free, and nothing else of it counts
    int client = -1;
    int server = -1;
    bool is_connecting = false;
    unsigned target = 0; ///< which of the addresses inside is being tried
    std::uint16_t port = 0;
    Flow to_server;
    Flow to_client;
};

/// Moves what can be moved now, in both directions, but not so long that other connections would wait.
/// \return false when the connection is over, or broken.
[[nodiscard]] bool pass_on(Connection& connection);

} // namespace sandbox::netns
