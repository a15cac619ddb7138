#include "tests/unit/plan/plan_test.hpp"

#include <linux/capability.h>

#include "core/plan/allow_plan.hpp"
#include "core/plan/closed_ranges.hpp"

using namespace sandbox;
using namespace sandbox::test;

namespace {

struct AllowTest : PlanTest {
    AllowTest() { profile.network.mode.set("slirp4netns", by_option("--net", "slirp4netns").origin); }

    void allow(const std::string& text) { add(profile.network.allow, "--net-allow", text); }

    [[nodiscard]] std::vector<std::string> allowed() const {
        std::vector<std::string> lines;
        for (const AllowEntry& entry : plan().network.allow.entries) {
            lines.push_back(allowed_words(entry) + (entry.opens_near ? " near" : ""));
        }
        return lines;
    }

    /// The cause for which `text` is refused; empty where it is not.
    [[nodiscard]] std::string refusal(const std::string& text) {
        profile.network.allow.items.clear();
        allow(text);
        return error();
    }
};

bool is_closed(const char* address) {
    const std::vector<Prefix> closed = closed_ranges({"203.0.113.7", "2001:db8:7::7"});
    return std::ranges::any_of(closed, [&](const Prefix& range) { return range.contains(*parse_prefix(address)); });
}

} // namespace

BOOST_FIXTURE_TEST_SUITE(allow_list, AllowTest)

BOOST_AUTO_TEST_CASE(entries_are_read_in_all_their_forms) {
    allow("deb.debian.org");
    allow("*.npmjs.org:443");
    allow("192.0.2.0/24:22");
    allow("192.0.2.7:8000-8010");
    allow("[2001:db8::]/32");
    allow("[2001:DB8::1]:443");
    allow("[2001:db8::]/32:443");
    allow("0.0.0.0/0");
    CHECK_LINES(allowed(), {"deb.debian.org", "*.npmjs.org:443", "192.0.2.0/24:22", "192.0.2.7:8000-8010",
                            "[2001:db8::]/32", "[2001:db8::1]:443", "[2001:db8::]/32:443", "0.0.0.0/0"});
}

BOOST_AUTO_TEST_CASE(case_and_the_final_dot_do_not_count_and_an_underscore_is_a_letter) {
    allow("DEB.Debian.ORG.");
    allow("*.NPMJS.org.:443");
    allow("_sip.my_host.example");
    allow("registry");
    allow("xn--bcher-kva.example");
    CHECK_LINES(allowed(),
                {"deb.debian.org", "*.npmjs.org:443", "_sip.my_host.example", "registry", "xn--bcher-kva.example"});
}

BOOST_AUTO_TEST_CASE(a_name_can_be_allowed_exactly_where_the_list_takes_it) {
    for (const char* good : {"deb.debian.org", "registry", "_sip.my_host.example", "xn--bcher-kva.example",
                             "1.2.example", "a--b.org", "10.in-addr.arpa", "localhost.example", "notlocalhost"}) {
        BOOST_TEST(can_be_allowed(good), good);
        BOOST_TEST(refusal(good) == "", good);
    }
    const std::string long_label = std::string(64, 'a') + ".org";
    std::string long_name = "org";
    while (long_name.size() <= 253) {
        long_name = "label." + long_name;
    }
    for (const std::string& bad : std::initializer_list<std::string>{
             "localhost", "a.localhost", "10", "1.2.3", "0x7f.1", "-a.b", "a-.b", "--", "", ".", "a..b", ".a", "a b",
             "*.a", "a/b", "b\xc3\xbc.org", long_label, long_name}) {
        BOOST_TEST(!can_be_allowed(bad), bad);
        BOOST_TEST((bad == "*.a" || refusal(bad) != ""), bad); // with a star it is an entry of another kind
    }
}

BOOST_AUTO_TEST_CASE(what_is_no_host_is_refused_with_its_cause) {
    CHECK_SAYS(refusal("https://deb.debian.org/"), "it is a URL");
    CHECK_SAYS(refusal("b\xc3\xbc"
                       "cher.example"),
               "xn--");
    CHECK_SAYS(refusal("*"), "that is everything");
    CHECK_SAYS(refusal("*npmjs.org"), "a star stands for whole labels");
    CHECK_SAYS(refusal("a.*.org"), "a star stands for whole labels");
    CHECK_SAYS(refusal("*.*.org"), "a star stands for whole labels");
    CHECK_SAYS(refusal("a..org"), "nothing between two of its dots");
    CHECK_SAYS(refusal(".org"), "nothing between two of its dots");
    CHECK_SAYS(refusal("-a.org"), "is no part of a name");
    CHECK_SAYS(refusal("a b.org"), "is no part of a name");
    CHECK_SAYS(refusal(std::string(64, 'a') + ".org"), "has 64 bytes");
    CHECK_SAYS(refusal(std::string("allowed.org\0.evil.org", 21)), "is no part of a name");
    std::string longest;
    for (int i = 0; i < 64; ++i) {
        longest += "abc.";
    }
    CHECK_SAYS(refusal(longest), "253 bytes at the most");
    CHECK_SAYS(refusal("256.1.1.1"), "neither an IP address nor a name");
    CHECK_SAYS(refusal("1.2.3"), "neither an IP address nor a name");
    CHECK_SAYS(refusal("localhost:80"), "the sandbox itself");
    CHECK_SAYS(refusal("a.localhost"), "the sandbox itself");
    CHECK_SAYS(refusal("2001:db8::1"), "stands in brackets");
    CHECK_SAYS(refusal("[2001:db8::1"), "a bracket is open");
    CHECK_SAYS(refusal("[192.0.2.1]"), "is no IPv6 address");
    CHECK_SAYS(refusal("[2001:db8::1]443"), "is no IPv6 address");
    CHECK_SAYS(refusal("[::ffff:192.0.2.1]"), "is sent as IPv4");
    CHECK_SAYS(refusal("192.0.2.7/24"), "192.0.2.0/24 for the range");
    CHECK_SAYS(refusal("192.0.2.0/33"), "is no range of addresses");
    CHECK_SAYS(refusal("192.0.2.0/"), "is no range of addresses");
    CHECK_SAYS(refusal("deb.debian.org/24"), "is no range of addresses");
    for (const char* text : {"a.org:", "a.org:0", "a.org:65536", "a.org:x", "a.org:80-", "a.org:90-80", "a.org:-80"}) {
        BOOST_CHECK_MESSAGE(contains(refusal(text), "cannot allow"), text << ": " << error());
    }
}

BOOST_AUTO_TEST_CASE(a_wildcard_is_what_lies_below_and_not_its_apex) {
    allow("*.npmjs.org");
    allow("deb.debian.org");
    const std::vector<AllowEntry> entries = plan().network.allow.entries;
    BOOST_TEST(names(entries[0], "registry.npmjs.org"));
    BOOST_TEST(names(entries[0], "a.b.npmjs.org"));
    for (const char* other : {"npmjs.org", "evilnpmjs.org", "npmjs.org.evil.com", ".npmjs.org", "org", ""}) {
        BOOST_TEST(!names(entries[0], other), other);
    }
    BOOST_TEST(names(entries[1], "deb.debian.org"));
    for (const char* other : {"x.deb.debian.org", "xdeb.debian.org", "debian.org", "deb.debian.org.evil.com"}) {
        BOOST_TEST(!names(entries[1], other), other);
    }
}

BOOST_AUTO_TEST_CASE(what_lies_near_opens_only_where_it_is_named_itself) {
    allow("10.0.2.2:5432");
    allow("192.168.0.0/24");
    allow("203.0.113.7");
    allow("[fd00::2]:80");
    allow("8.0.0.0/5");
    CHECK_LINES(allowed(),
                {"10.0.2.2:5432 near", "192.168.0.0/24 near", "203.0.113.7 near", "[fd00::2]:80 near", "8.0.0.0/5"});
}

BOOST_AUTO_TEST_CASE(the_ranges_near_this_machine_are_closed_in_all_their_forms) {
    for (const char* address : {"127.0.0.1",
                                "127.255.255.254",
                                "0.0.0.0",
                                "10.1.2.3",
                                "172.31.255.255",
                                "192.168.1.1",
                                "100.64.0.1",
                                "169.254.169.254",
                                "100.100.100.200",
                                "168.63.129.16",
                                "224.0.0.1",
                                "255.255.255.255",
                                "203.0.113.7",
                                "::1",
                                "::",
                                "fe80::1",
                                "fd00:ec2::254",
                                "ff02::1",
                                "::ffff:127.0.0.1",
                                "::ffff:8.8.8.8",
                                "64:ff9b::7f00:1",
                                "64:ff9b::10.1.2.3",
                                "64:ff9b::203.0.113.7",
                                "2002:a01:203::1",
                                "2002:7f00:1::",
                                "2001:db8:7::7"}) {
        BOOST_TEST(is_closed(address), address);
    }
    for (const char* address : {"198.51.100.1", "203.0.113.8", "172.32.0.1", "100.128.0.1", "168.63.129.17",
                                "2001:db8::1", "64:ff9b::8.8.8.8", "2002:808:808::1", "2600::1"}) {
        BOOST_TEST(!is_closed(address), address);
    }
}

BOOST_AUTO_TEST_CASE(an_empty_list_allows_nothing_and_none_allows_everything) {
    BOOST_TEST(!plan().network.allow.wanted);
    profile.network.allow.replaces = true;
    profile.network.allow.origin = in_file("", "test.toml", "network.allow").origin;
    BOOST_TEST(plan().network.allow.wanted);
    BOOST_TEST(plan().network.allow.entries.empty());
}

BOOST_AUTO_TEST_CASE(names_are_asked_of_the_lists_resolver_alone) {
    allow("deb.debian.org");
    add(profile.network.dns, "--dns", "192.0.2.53");
    const NetworkPlan network = plan().network;
    BOOST_TEST(network.allow.resolvers.front() == "192.0.2.53");
    const auto file = std::ranges::find(network.files, "/etc/resolv.conf", &GeneratedFile::path);
    BOOST_REQUIRE(file != network.files.end());
    BOOST_TEST(file->text == "nameserver 127.0.0.53\n");
}

BOOST_AUTO_TEST_CASE(the_helpers_have_ids_that_neither_cmd_nor_anybody_of_the_host_has) {
    allow("deb.debian.org");
    const Plan shared = plan();
    BOOST_TEST(shared.network.allow.uid != shared.ids.uid);
    BOOST_TEST(shared.network.allow.gid != shared.ids.gid);
    profile.ids.map.set("self", by_option("--map", "self").origin);
    profile.ids.groups.set("keep", by_option("--groups", "keep").origin);
    const Plan alone = plan();
    BOOST_TEST(alone.network.allow.uid == alone.ids.uid);
}

BOOST_AUTO_TEST_CASE(an_answers_life_is_two_minutes_unless_it_is_written) {
    allow("deb.debian.org");
    BOOST_TEST(plan().network.allow.lifetime.count() == 120);
    profile.network.answer_ttl.set("1500ms", in_file("", "test.toml", "network.answer-ttl").origin);
    BOOST_TEST(plan().network.allow.lifetime.count() == 2);
}

BOOST_AUTO_TEST_CASE(a_missing_program_names_its_package) {
    allow("deb.debian.org");
    machine.network->dnsmasq.clear();
    CHECK_SAYS(error(), "--net-allow deb.debian.org: cannot hold the network to a list");
    CHECK_SAYS(error(), "install the package dnsmasq-base");
    machine.network->nft.clear();
    CHECK_SAYS(error(), "install the package nftables");
}

BOOST_AUTO_TEST_CASE(a_right_over_the_network_goes_with_no_list) {
    allow("deb.debian.org");
    for (const char* right : {"net_admin", "NET_RAW", "all"}) {
        profile.capabilities.keep.items.clear();
        add(profile.capabilities.keep, "--cap-add", right);
        CHECK_SAYS(error(), "where the network is held to a list");
    }
    profile.capabilities.keep.items.clear();
    add(profile.capabilities.keep, "--cap-add", "sys_ptrace");
    BOOST_TEST(error() == "");
    add(profile.namespaces.share, "--share", "pid");
    CHECK_SAYS(error(), "cannot keep CAP_SYS_PTRACE in the host's pid namespace");
    profile.network.allow = {};
    CHECK_SAYS(error(), "cannot keep CAP_SYS_PTRACE in the host's pid namespace");
}

BOOST_AUTO_TEST_CASE(the_hosts_network_is_never_taken_for_one_that_is_held) {
    in_profile(profile.network.allow, "deb.debian.org");
    profile.network.mode.set("host", by_option("--net", "host").origin);
    CHECK_SAYS(error(), "cannot hold the network to a list");
    CHECK_SAYS(error(), "--net slirp4netns");
    profile.network.mode.set("none", by_option("--net", "none").origin);
    BOOST_TEST(error() == "");
    CHECK_SAYS(notices(), "has no effect: the network is none");
    profile.network.allow = {};
    allow("deb.debian.org");
    CHECK_SAYS(error(), "the network is none");
}

BOOST_AUTO_TEST_SUITE_END()
