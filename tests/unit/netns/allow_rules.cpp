// What nft and dnsmasq are told; that the kernel does it is shown by the run tests.
#include <boost/test/unit_test.hpp>

#include "core/plan/closed_ranges.hpp"
#include "netns/allow_rules.hpp"
#include "netns/refusals.hpp"

using namespace sandbox;
using namespace sandbox::netns;

namespace {

AllowEntry name(const char* text, PortRange ports = {}) {
    AllowEntry entry;
    entry.name = text;
    entry.ports = ports;
    return entry;
}

AllowEntry below(const char* text, PortRange ports = {}) {
    AllowEntry entry = name(text, ports);
    entry.kind = AllowEntry::Kind::names_below;
    return entry;
}

AllowEntry range(const char* text, bool near = false, PortRange ports = {}) {
    AllowEntry entry;
    entry.kind = AllowEntry::Kind::addresses;
    entry.addresses = *parse_prefix(text);
    entry.opens_near = near;
    entry.ports = ports;
    return entry;
}

AllowPlan list(std::vector<AllowEntry> entries) {
    AllowPlan plan;
    plan.wanted = true;
    plan.entries = std::move(entries);
    plan.closed = closed_ranges({});
    plan.resolvers = {"10.0.2.3"};
    plan.lifetime = std::chrono::seconds(120);
    return plan;
}

bool holds(const std::string& text, const std::string& line) {
    return text.find(line) != std::string::npos;
}

/// Whether both are there, in this order.
bool in_order(const std::string& text, const std::string& first, const std::string& second) {
    return holds(text, first) && text.find(first) < text.find(second) && holds(text, second);
}

} // namespace

BOOST_AUTO_TEST_SUITE(allow_rules)

BOOST_AUTO_TEST_CASE(what_lies_near_is_refused_before_a_name_and_after_an_address_that_names_it) {
    const std::string rules = rules_text(list({name("a.org"), range("10.0.0.0/8", true), range("192.0.2.0/24")}));
    BOOST_TEST(in_order(rules, "ip daddr 10.0.0.0/8 accept", "@near4 goto refuse"), rules);
    BOOST_TEST(in_order(rules, "@near4 goto refuse", "ip daddr 192.0.2.0/24 accept"), rules);
    BOOST_TEST(in_order(rules, "@near6 goto refuse", "ip daddr @names0_4_0 accept"), rules);
}

BOOST_AUTO_TEST_CASE(other_resolvers_are_closed_but_where_an_entry_has_their_port) {
    const std::string closed = "\nmeta l4proto { tcp, udp } th dport { 53, 853 } goto refuse";
    const std::string rules =
        rules_text(list({name("a.org"), name("dns.org", {853, 853}), range("192.0.2.53", false, {53, 53})}));
    BOOST_TEST(in_order(rules, "192.0.2.53 meta l4proto { tcp, udp } th dport 53-53 accept", closed), rules);
    BOOST_TEST(in_order(rules, "@names1_4_0 meta l4proto { tcp, udp } th dport 853-853 accept", closed), rules);
    BOOST_TEST(in_order(rules, closed, "ip daddr @names0_4_0 accept"), rules);
}

BOOST_AUTO_TEST_CASE(a_range_near_this_machine_opens_no_resolver_in_it) {
    const std::string closed = "ip daddr @near4 meta l4proto { tcp, udp } th dport { 53, 853 } goto refuse";
    const std::string rules = rules_text(list({range("10.0.0.0/8", true), range("10.1.1.1", true, {53, 53})}));
    BOOST_TEST(in_order(rules, "ip daddr 10.1.1.1 meta l4proto { tcp, udp } th dport 53-53 accept", closed), rules);
    BOOST_TEST(in_order(rules, closed, "ip daddr 10.0.0.0/8 accept"), rules);
    BOOST_TEST(in_order(rules, "ip6 daddr @near6 meta l4proto", "ip daddr 10.0.0.0/8 accept"), rules);
}

BOOST_AUTO_TEST_CASE(only_what_bears_the_mark_asks_a_resolver_of_outside) {
    const std::string rules = rules_text(list({}));
    BOOST_TEST(holds(rules, "meta mark 93 ip daddr 10.0.2.3 meta l4proto { tcp, udp } th dport 53 accept"), rules);
    BOOST_TEST(holds(rules, "policy drop"), rules);
    BOOST_TEST(rules.ends_with("goto refuse\n}\n}\n"), rules);
}

BOOST_AUTO_TEST_CASE(a_question_leaves_for_an_allowed_name_and_for_nothing_else) {
    const std::string text = resolver_text(list({name("deb.debian.org"), below("npmjs.org")}), true);
    BOOST_TEST(holds(text, "address=/#/\n"), text);
    BOOST_TEST(holds(text, "server=/deb.debian.org/10.0.2.3\naddress=/*.deb.debian.org/\n"), text);
    BOOST_TEST(holds(text, "server=/*.npmjs.org/10.0.2.3\n"), text);
    BOOST_TEST(!holds(text, "server=/npmjs.org/"), text);
    BOOST_TEST(holds(text, "cache-size=0\n"), text);
}

BOOST_AUTO_TEST_CASE(a_name_with_its_star_is_asked_for_with_all_below_it) {
    const std::string text = resolver_text(list({name("npmjs.org"), below("npmjs.org"), name("x.npmjs.org")}), true);
    BOOST_TEST(holds(text, "server=/npmjs.org/10.0.2.3\n"), text);
    BOOST_TEST(!holds(text, "address=/*."), text);
}

BOOST_AUTO_TEST_CASE(a_name_opens_the_ports_of_every_entry_that_names_it) {
    const std::string text = resolver_text(
        list({name("x.npmjs.org", {80, 80}), below("npmjs.org", {443, 443}), name("npmjs.org", {22, 22})}), false);
    BOOST_TEST(holds(text, "nftset=/x.npmjs.org/4#inet#sandbox#names1_4_0,4#inet#sandbox#names1_4_1,"
                           "4#inet#sandbox#names2_4_0,4#inet#sandbox#names2_4_1\n"),
               text);
    BOOST_TEST(holds(text, "filter-AAAA\n"), text);
}

BOOST_AUTO_TEST_CASE(the_two_halves_are_forgotten_by_turns) {
    const AllowPlan plan = list({name("a.org"), name("b.org", {443, 443}), range("192.0.2.0/24")});
    BOOST_TEST(forget_text(plan, 0) == "flush set inet sandbox names0_4_0\nflush set inet sandbox names0_6_0\n"
                                       "flush set inet sandbox names1_4_0\nflush set inet sandbox names1_6_0\n");
    BOOST_TEST(holds(forget_text(plan, 1), "names1_6_1"));
    BOOST_TEST(forget_text(list({range("192.0.2.0/24")}), 0).empty());
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(refusals)

namespace {

std::string log_line(const std::string& words) {
    return "dnsmasq[1]: 2 127.0.0.1/45158 " + words + "\n";
}

/// A log that has started.
struct Log {
    AllowPlan plan;
    ResolverLog log{plan};

    explicit Log(std::vector<AllowEntry> entries = {}) : plan(list(std::move(entries))) {
        log.take("dnsmasq[1]: started, version 2.90 cache disabled\n");
    }
};

std::string table(const std::string& elements, int packets) {
    return R"({"nftables": [{"metainfo": {}}, {"set": {"name": "refused4", "elem": [)" + elements +
           R"(]}}, {"set": {"name": "refused6"}}, {"counter": {"name": "refused", "packets": )" +
           std::to_string(packets) + "}}]}";
}

std::string element(const std::string& address, const std::string& protocol, int port, int packets) {
    return R"({"elem": {"val": {"concat": [")" + address + "\", \"" + protocol + "\", " + std::to_string(port) +
           R"(]}, "counter": {"packets": )" + std::to_string(packets) + R"(, "bytes": 60}}})";
}

std::string joined(const std::vector<NetworkRefusal>& refusals) {
    std::string text;
    for (const NetworkRefusal& refusal : refusals) {
        text += refusal.text + "\n";
    }
    return text;
}

} // namespace

BOOST_AUTO_TEST_CASE(a_refused_name_is_told_with_its_number_and_the_line_that_allows_it) {
    Log host({name("deb.debian.org")});
    host.log.take(log_line("query[A] evil.example from 127.0.0.1") + log_line("config evil.example is NXDOMAIN"));
    host.log.take("dnsmasq[1]: 3 127.0.0.1/2 config EVIL.exam");
    host.log.take("ple is NXDOMAIN\n");
    BOOST_TEST(joined(netns::refusals(host.plan, host.log, table("", 0))) ==
               "'evil.example', asked for 2 times: --net-allow evil.example\n");
}

BOOST_AUTO_TEST_CASE(an_allowed_name_that_leads_to_a_loopback_address_is_told) {
    Log host({name("deb.debian.org")});
    host.log.take(log_line("config deb.debian.org is NXDOMAIN") + log_line("reply gone.debian.org is NXDOMAIN"));
    BOOST_TEST(joined(netns::refusals(host.plan, host.log, table("", 0))) ==
               "'deb.debian.org', asked for once, leads to a loopback address, which is no other machine's\n");
}

BOOST_AUTO_TEST_CASE(a_refused_address_is_told_by_the_name_that_led_to_it) {
    Log host({name("a.org", {443, 443})});
    host.log.take(log_line("reply a.org is 198.51.100.1") + log_line("reply near.org is 10.1.2.3"));
    const std::string text =
        joined(netns::refusals(host.plan, host.log,
                               table(element("198.51.100.2", "udp", 9, 1) + "," + element("10.1.2.3", "tcp", 443, 1) +
                                         "," + element("198.51.100.1", "tcp", 80, 3),
                                     5)));
    BOOST_TEST(text == "near.org at 10.1.2.3, tcp port 443, once, near this machine, where no name leads: --net-allow "
                       "10.1.2.3:443\n"
                       "a.org at 198.51.100.1, tcp port 80, 3 times: --net-allow a.org:80\n"
                       "198.51.100.2, udp port 9, once: --net-allow 198.51.100.2:9\n");
}

BOOST_AUTO_TEST_CASE(an_address_behind_an_alias_is_told_by_the_name_that_was_asked_for) {
    Log host({name("a.org", {443, 443})});
    host.log.take("dnsmasq[1]: 7 127.0.0.1/45158 query[A] A.org from 127.0.0.1\n"
                  "dnsmasq[1]: 8 127.0.0.1/45158 query[A] b.org from 127.0.0.1\n"
                  "dnsmasq[1]: 7 127.0.0.1/45158 reply a.org is <CNAME>\n"
                  "dnsmasq[1]: 7 127.0.0.1/45158 reply far.cdn.example is 198.51.100.1\n");
    BOOST_TEST(joined(netns::refusals(host.plan, host.log, table(element("198.51.100.1", "tcp", 80, 1), 1))) ==
               "a.org at 198.51.100.1, tcp port 80, once: --net-allow a.org:80\n");
}

BOOST_AUTO_TEST_CASE(names_of_cmds_making_can_neither_forge_a_line_nor_flood_the_report) {
    Log host;
    host.log.take(log_line("config x is NXDOMAIN y is NXDOMAIN") + log_line("config \x1b[2J.example is NXDOMAIN"));
    for (int i = 0; i < 5000; ++i) {
        host.log.take(log_line("config n" + std::to_string(i) + ".example is NXDOMAIN"));
    }
    const std::vector<NetworkRefusal> lines = netns::refusals(host.plan, host.log, table("", 7));
    BOOST_TEST(lines.size() <= 22U);
    BOOST_TEST(joined(lines).find('\x1b') == std::string::npos);
    BOOST_TEST(lines.back().text.starts_with("and "), lines.back().text);
}

BOOST_AUTO_TEST_CASE(what_no_entry_can_hold_is_told_without_a_line_that_would_allow_it) {
    Log host;
    host.log.take(log_line("config . is NXDOMAIN") + log_line("config a/b.example is NXDOMAIN") +
                  log_line("config <name unprintable> is NXDOMAIN") + log_line("config c_d.example is NXDOMAIN"));
    BOOST_TEST(joined(netns::refusals(host.plan, host.log, table("", 0))) ==
               "'.', asked for once, which names no host\n"
               "'<name unprintable>', asked for once, which names no host\n"
               "'a/b.example', asked for once, which names no host\n"
               "'c_d.example', asked for once: --net-allow c_d.example\n");
}

BOOST_AUTO_TEST_CASE(a_clouds_metadata_service_is_told_without_a_line_that_would_allow_it) {
    Log host;
    host.log.take(log_line("config metadata.google.internal is NXDOMAIN") +
                  log_line("config metadata.example is NXDOMAIN") + log_line("reply far.example is 169.254.169.254"));
    const std::vector<NetworkRefusal> list =
        netns::refusals(host.plan, host.log,
                        table(element("169.254.169.254", "tcp", 80, 1) + "," + element("192.0.0.192", "tcp", 80, 2) +
                                  "," + element("192.0.2.7", "tcp", 80, 1),
                              4));
    const std::string why = "a cloud's metadata service: who asks it acts as this machine";
    BOOST_TEST(joined(list) == "'metadata.example', asked for once: --net-allow metadata.example\n"
                               "'metadata.google.internal', asked for once: " +
                                   why + "\nfar.example at 169.254.169.254, tcp port 80, once: " + why +
                                   "\n192.0.0.192, tcp port 80, 2 times: " + why +
                                   "\n192.0.2.7, tcp port 80, once: --net-allow 192.0.2.7:80\n");
    for (const NetworkRefusal& refusal : list) {
        BOOST_TEST((refusal.advice == why) == refusal.grant.empty(), refusal.text);
    }
}

BOOST_AUTO_TEST_CASE(a_name_that_was_searched_for_is_told_once) {
    Log host;
    host.log.take(log_line("config evil.example is NXDOMAIN") +
                  log_line("config evil.example.corp.example is NXDOMAIN"));
    BOOST_TEST(netns::refusals(host.plan, host.log, table("", 0)).size() == 1U);
}

BOOST_AUTO_TEST_CASE(an_answer_that_cannot_be_read_is_said) {
    const Log host;
    for (const char* text : {"", "{", "[]", R"({"nftables": [{"set": {"name": "refused4", "elem": [7]}}]})"}) {
        BOOST_TEST(joined(netns::refusals(host.plan, host.log, text)).find("could not be read") != std::string::npos,
                   text);
    }
}

BOOST_AUTO_TEST_SUITE_END()
