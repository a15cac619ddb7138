// What went through the interfaces of a network namespace.
#include "netns/counters.hpp"

#include <boost/test/unit_test.hpp>
#include <string>

using namespace sandbox::netns;

namespace {

const std::string kTitles = "Inter-|   Receive                            |  Transmit\n"
                            " face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs\n";

} // namespace

BOOST_AUTO_TEST_SUITE(counters)

BOOST_AUTO_TEST_CASE(all_interfaces_but_the_loopback_are_added_up) {
    const auto read = read_counters(kTitles + "    lo:  500  5 0 0 0 0 0 0  500  5 0 0 0 0 0 0\n"
                                              "  tap0:  110  1 0 0 0 0 0 0  430  6 0 0 0 0 0 0\n"
                                              "eth0.1:1000 10 0 0 0 0 0 0 2000 20 0 0 0 0 0 0\n");
    BOOST_REQUIRE(read.has_value());
    BOOST_CHECK(*read ==
                (Counters{.received_bytes = 1110, .received_packets = 11, .sent_bytes = 2430, .sent_packets = 26}));
}

BOOST_AUTO_TEST_CASE(a_namespace_with_the_loopback_alone_has_nothing) {
    BOOST_CHECK(read_counters(kTitles + "    lo:  500  5 0 0 0 0 0 0  500  5 0 0 0 0 0 0\n") == Counters{});
}

BOOST_AUTO_TEST_CASE(another_text_is_no_table) {
    BOOST_TEST(!read_counters("").has_value());
    BOOST_TEST(!read_counters("tap0: 1 2 3").has_value());
}

BOOST_AUTO_TEST_SUITE_END()
