// Bytes between two sockets: whole, in order, and half-closed for as long as one side likes.
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <boost/test/unit_test.hpp>
#include <string>

#include "core/base/fd.hpp"
#include "netns/relay.hpp"

using namespace sandbox;
using namespace sandbox::netns;

namespace {

/// A client and a server, with a connection between them that `pass_on` serves.
struct RelayTest {
    Fd client;
    Fd server;
    Fd near_client;
    Fd near_server;
    std::string buffers[2] = {std::string(kBufferSize, '\0'), std::string(kBufferSize, '\0')};
    Connection connection;

    RelayTest() {
        join(client, near_client);
        join(server, near_server);
        connection.is_used = true;
        connection.client = near_client.get();
        connection.server = near_server.get();
        connection.to_server.buffer = reinterpret_cast<std::byte*>(buffers[0].data());
        connection.to_client.buffer = reinterpret_cast<std::byte*>(buffers[1].data());
    }

    static void join(Fd& far, Fd& near) {
        int ends[2] = {-1, -1};
        BOOST_REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends) == 0);
        far.reset(ends[0]);
        near.reset(ends[1]);
    }

    static void say(const Fd& socket, const std::string& text) {
        BOOST_REQUIRE(::send(socket.get(), text.data(), text.size(), MSG_NOSIGNAL) ==
                      static_cast<ssize_t>(text.size()));
    }

    /// What has come; "(end)" behind it where the other side said that there is no more.
    static std::string hear(const Fd& socket) {
        std::string text;
        std::array<char, 4096> part{};
        for (;;) {
            const ssize_t count = ::recv(socket.get(), part.data(), part.size(), 0);
            if (count <= 0) {
                return count == 0 ? text + "(end)" : text;
            }
            text.append(part.data(), static_cast<std::size_t>(count));
        }
    }
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(relay, RelayTest)

BOOST_AUTO_TEST_CASE(bytes_pass_in_both_directions) {
    say(client, "question");
    say(server, "greeting");
    BOOST_TEST(pass_on(connection));
    BOOST_TEST(hear(server) == "question");
    BOOST_TEST(hear(client) == "greeting");
}

BOOST_AUTO_TEST_CASE(a_half_that_is_closed_leaves_the_other_open) {
    say(client, "all I have");
    ::shutdown(client.get(), SHUT_WR);
    BOOST_TEST(pass_on(connection));
    BOOST_TEST(hear(server) == "all I have(end)");
    for (const char* word : {"one", "two"}) {
        say(server, word);
        BOOST_TEST(pass_on(connection));
        BOOST_TEST(hear(client) == word);
    }
    say(server, "three");
    server.reset();
    BOOST_TEST(!pass_on(connection)); // both are closed: it is over
    BOOST_TEST(hear(client) == "three(end)");
}

BOOST_AUTO_TEST_CASE(an_end_that_takes_nothing_makes_the_other_wait_and_loses_no_byte) {
    const std::string much(std::size_t{4} * 1024 * 1024, 'x');
    std::size_t sent = 0;
    std::size_t stuck = 0;
    while (stuck < 3) {
        const ssize_t count = ::send(client.get(), much.data(), much.size() - sent, MSG_NOSIGNAL);
        stuck = count > 0 ? 0 : stuck + 1;
        sent += count > 0 ? static_cast<std::size_t>(count) : 0;
        BOOST_REQUIRE(pass_on(connection));
    }
    BOOST_TEST(!connection.to_server.has_room());
    ::shutdown(client.get(), SHUT_WR);
    std::string heard;
    while (!heard.ends_with("(end)")) {
        heard += hear(server);
        BOOST_REQUIRE(pass_on(connection));
    }
    BOOST_TEST(heard.size() == sent + std::string("(end)").size());
}

BOOST_AUTO_TEST_CASE(an_end_that_is_gone_breaks_the_connection) {
    say(client, "to nobody");
    server.reset();
    BOOST_TEST(!pass_on(connection));
}

BOOST_AUTO_TEST_CASE(bytes_that_are_there_pass_before_the_end_is_told) {
    say(server, "last words");
    server.reset();
    BOOST_TEST(pass_on(connection));
    BOOST_TEST(hear(client) == "last words(end)");
}

BOOST_AUTO_TEST_SUITE_END()
