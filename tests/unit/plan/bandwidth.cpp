#include "core/plan/bandwidth_plan.hpp"

#include "core/plan/network_plan.hpp"
#include "core/plan/rate.hpp"
#include "tests/unit/plan/plan_test.hpp"

using namespace sandbox;
using namespace sandbox::test;

namespace {

std::uint64_t rate(const std::string& text) {
    return parse_rate(text, in_file(text, "my.toml", "limits.net-in", 7).origin);
}

std::string refusal(const std::string& text) {
    try {
        return std::to_string(rate(text));
    } catch (const Error& error) {
        return error.what();
    }
}

struct BandwidthTest : PlanTest {
    BandwidthTest() { mode("slirp4netns"); }

    void mode(const std::string& word) { profile.network.mode.set(word, by_option("--net", word).origin); }
    void in(const std::string& text) { profile.limits.net_in.set(text, by_option("--net-in", text).origin); }
    void out_of_profile(const std::string& text) {
        profile.limits.net_out.set(text, in_file(text, profile.lineage.front(), "limits.net-out").origin);
    }
    [[nodiscard]] BandwidthPlan bandwidth() const { return plan().network.bandwidth; }
};

} // namespace

BOOST_AUTO_TEST_SUITE(rates)

BOOST_AUTO_TEST_CASE(bits_are_spelt_out_in_either_case) {
    for (const char* text :
         {"20mbit", "20Mbit", "20MBit/s", "20mbit/s", "20000kbit", "20000000bit", "0.02gbit", "20.0mbit"}) {
        BOOST_CHECK_EQUAL(rate(text), 2'500'000U);
    }
    BOOST_CHECK_EQUAL(rate("1.5gbit"), 187'500'000U);
    BOOST_CHECK_EQUAL(rate("80kibit"), 10U * 1024);
}

BOOST_AUTO_TEST_CASE(bytes_have_a_capital_b) {
    for (const char* text : {"2MB/s", "2mB/s", "2MB", "2000kB/s", "2000KB/s", "2000000B/s", "0.002GB/s"}) {
        BOOST_CHECK_EQUAL(rate(text), 2'000'000U);
    }
    BOOST_CHECK_EQUAL(rate("512KiB/s"), 512U * 1024);
    BOOST_CHECK_EQUAL(rate("1MiB"), 1024U * 1024);
    BOOST_CHECK_EQUAL(rate("1GiB/s"), 1024U * 1024 * 1024);
}

BOOST_AUTO_TEST_CASE(what_is_bits_to_some_and_bytes_to_others_is_refused) {
    for (const char* text : {"2mbps", "2Mbps", "2MBps", "2kbps", "2bps", "2mb", "2Mb/s", "2kb", "2b", "2Gib"}) {
        CHECK_SAYS(refusal(text), "is bits to some and bytes to others");
    }
    for (const char* text : {"20", "2000000", "1.5", "20/s"}) {
        CHECK_SAYS(refusal(text), "without a unit it may be bits or bytes");
    }
    CHECK_SAYS(refusal("20"), "my.toml:7:3: limits.net-in: cannot read the rate '20'");
    CHECK_SAYS(refusal("20"), "fix: write bits or bytes a second: 20mbit");
}

BOOST_AUTO_TEST_CASE(nonsense_is_an_error) {
    for (const char* text : {"", "mbit", "-1mbit", "+1mbit", " 1mbit", "inf", "nanmbit", ".5mbit", "fast"}) {
        CHECK_SAYS(refusal(text), "it does not start with a number");
    }
    for (const char* text : {"1e6bit", "2xbit", "2mbits", "2 mbit", "2mbit ", "2mbit/m", "2M", "2k", "2iB", "2ibit",
                             "1,5mbit", "2mbit/s/s", "2mBit/s\n", "0x10mbit", "2mmbit"}) {
        CHECK_SAYS(refusal(text), "there is no such unit");
    }
}

BOOST_AUTO_TEST_CASE(what_nothing_gets_through_and_what_nothing_reaches_is_refused) {
    BOOST_CHECK_EQUAL(rate("8kbit"), 1000U);
    BOOST_CHECK_EQUAL(rate("100gbit"), 12'500'000'000U);
    for (const char* text : {"0mbit", "0B/s", "0.0mbit", "1bit", "999B/s", "7.9kbit"}) {
        CHECK_SAYS(refusal(text), "it is less than 8 kbit/s: nothing gets through");
    }
    for (const char* text : {"101gbit", "1tbit", "12.6GB/s", "99999999999999999999999999mbit"}) {
        CHECK_SAYS(refusal(text), "it is more than 100 Gbit/s");
    }
}

BOOST_AUTO_TEST_CASE(a_rate_is_told_in_bits) {
    BOOST_CHECK_EQUAL(rate_words(2'500'000), "20 Mbit/s");
    BOOST_CHECK_EQUAL(rate_words(187'500'000), "1.5 Gbit/s");
    BOOST_CHECK_EQUAL(rate_words(1'000), "8 kbit/s");
    BOOST_CHECK_EQUAL(rate_words(1'001), "8008 bit/s");
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_FIXTURE_TEST_SUITE(bandwidth_plan, BandwidthTest)

BOOST_AUTO_TEST_CASE(each_way_has_its_own_rate_and_origin) {
    BOOST_CHECK(!bandwidth().wanted());
    in("20mbit");
    BOOST_CHECK(bandwidth().wanted());
    BOOST_CHECK_EQUAL(bandwidth().in.bytes_per_second, 2'500'000U);
    BOOST_CHECK_EQUAL(bandwidth().in.origin.place(), "--net-in 20mbit");
    BOOST_CHECK(!bandwidth().out);
    out_of_profile("2MB/s");
    BOOST_CHECK_EQUAL(bandwidth().out.bytes_per_second, 2'000'000U);
}

BOOST_AUTO_TEST_CASE(unlimited_takes_a_profiles_limit_away) {
    out_of_profile("2MB/s");
    profile.limits.net_out.set("unlimited", by_option("--net-out", "unlimited").origin);
    BOOST_CHECK(!bandwidth().wanted());
    mode("none");
    BOOST_CHECK_EQUAL(error(), "");
}

BOOST_AUTO_TEST_CASE(a_profile_may_do_without_where_the_kernel_cannot_and_an_option_not) {
    in("20mbit");
    out_of_profile("20mbit");
    BOOST_CHECK(bandwidth().in.required);
    BOOST_CHECK(bandwidth().out.required);
    profile.limits.when_unavailable.set("warn", in_file("warn").origin);
    BOOST_CHECK(bandwidth().in.required);
    BOOST_CHECK(!bandwidth().out.required);
}

BOOST_AUTO_TEST_CASE(without_an_interface_a_limit_is_an_error) {
    in("20mbit");
    for (const auto& [word, told] : {std::pair{"none", "the network is none (--net none)"},
                                     std::pair{"host", "the network is the host's (--net host)"}}) {
        mode(word);
        CHECK_SAYS(error(), "--net-in 20mbit: cannot limit what goes over the network");
        CHECK_SAYS(error(), told);
        CHECK_SAYS(error(), "the sandbox has no interface of its own");
        CHECK_SAYS(error(), "fix: --net slirp4netns");
    }
}

BOOST_AUTO_TEST_CASE(no_network_over_a_profile_with_limits_is_enough_said_and_the_hosts_is_not) {
    out_of_profile("20mbit");
    mode("none");
    CHECK_SAYS(notices(), "has no effect: the network is none (--net none)");
    BOOST_CHECK(!bandwidth().wanted());
    mode("host");
    CHECK_SAYS(error(), "cannot limit what goes over the network");
}

BOOST_AUTO_TEST_CASE(nonsense_is_told_with_its_place_whatever_the_network) {
    out_of_profile("20");
    CHECK_SAYS(error(), profile.lineage.front() + ":7:3: limits.net-out: cannot read the rate '20'");
    mode("none");
    CHECK_SAYS(error(), "cannot read the rate '20'");
}

BOOST_AUTO_TEST_CASE(a_packet_takes_5_ms_of_the_slower_way_and_is_never_below_ethernets) {
    in("20mbit");
    BOOST_CHECK_EQUAL(mtu_for(bandwidth()), 12'500);
    out_of_profile("10mbit");
    BOOST_CHECK_EQUAL(mtu_for(bandwidth()), 6'250);
    in("8kbit");
    BOOST_CHECK_EQUAL(mtu_for(bandwidth()), 1'500);
    BOOST_CHECK_EQUAL(mtu_for({}), kMtu);
}

BOOST_AUTO_TEST_SUITE_END()
