// Requests as the kernel reads them, and answers of any shape: netlink(7).
#include "netns/netlink.hpp"

#include <boost/test/unit_test.hpp>
#include <cstring>

using namespace sandbox::netns;

namespace {

struct Fixed {
    std::uint32_t number = 7;
};

std::vector<NetlinkAttribute> read(const std::vector<std::byte>& message) {
    alignas(nlmsghdr) static std::byte copy[512];
    std::memcpy(copy, message.data(), message.size());
    return attributes(*reinterpret_cast<const nlmsghdr*>(copy), sizeof(Fixed));
}

} // namespace

BOOST_AUTO_TEST_SUITE(netlink)

BOOST_AUTO_TEST_CASE(an_attribute_starts_at_a_multiple_of_four_and_counts_what_it_holds) {
    NetlinkRequest request(RTM_NEWLINK, NLM_F_CREATE, Fixed{});
    constexpr std::uint8_t kOne = 1;
    request.add(3, std::string_view("tap0")).add(9, kOne).add(10, std::uint32_t{5});
    const std::vector<std::byte> message = request.finish(42);
    nlmsghdr header{};
    std::memcpy(&header, message.data(), sizeof header);
    BOOST_CHECK_EQUAL(header.nlmsg_len, message.size());
    BOOST_CHECK_EQUAL(header.nlmsg_len, 16U + 4 + 12 + 8 + 8);
    BOOST_CHECK_EQUAL(header.nlmsg_flags, NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE);
    BOOST_CHECK_EQUAL(header.nlmsg_seq, 42U);
    const std::vector<NetlinkAttribute> found = read(message);
    BOOST_REQUIRE_EQUAL(found.size(), 3U);
    BOOST_CHECK_EQUAL(found[0].value.size(), 5U); // with the zero
    BOOST_CHECK_EQUAL(found[1].value.size(), 1U);
    BOOST_CHECK_EQUAL(found[2].type, 10);
}

BOOST_AUTO_TEST_CASE(attributes_nest_also_behind_a_fixed_part) {
    NetlinkRequest request(RTM_NEWLINK, 0, Fixed{});
    request.nest(1, [](NetlinkRequest& outer) {
        outer.nest(2, Fixed{}, [](NetlinkRequest& inner) { inner.add(3, std::uint16_t{1}); });
    });
    const std::vector<NetlinkAttribute> found = read(request.finish(1));
    BOOST_REQUIRE_EQUAL(found.size(), 1U);
    BOOST_CHECK_EQUAL(found[0].value.size(), 4U + 4 + 8);
}

BOOST_AUTO_TEST_CASE(what_is_cut_off_is_not_read) {
    NetlinkRequest request(RTM_NEWLINK, 0, Fixed{});
    request.add(3, std::uint32_t{1}).add(4, std::uint32_t{2});
    std::vector<std::byte> message = request.finish(1);
    for (const std::uint32_t shorter : {1U, 5U, 7U}) {
        nlmsghdr header{};
        std::memcpy(&header, message.data(), sizeof header);
        header.nlmsg_len -= shorter;
        std::vector<std::byte> cut = message;
        std::memcpy(cut.data(), &header, sizeof header);
        BOOST_CHECK_EQUAL(read(cut).size(), 1U);
    }
    const std::uint16_t none = 0; // an attribute without a length would be read for ever
    std::memcpy(message.data() + 20, &none, sizeof none);
    BOOST_CHECK(read(message).empty());
}

BOOST_AUTO_TEST_SUITE_END()
