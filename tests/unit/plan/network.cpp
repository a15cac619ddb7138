#include "tests/unit/plan/plan_test.hpp"

#include <cerrno>

#include "core/plan/address.hpp"
#include "core/plan/host_network.hpp"
#include "core/plan/publish_plan.hpp"

using namespace sandbox;
using namespace sandbox::test;

namespace {

struct NetworkTest : PlanTest {
    NetworkTest() { mode("slirp4netns"); }

    void mode(const std::string& word) { profile.network.mode.set(word, by_option("--net", word).origin); }
    void publish(const std::string& text) { add(profile.network.publish, "--publish", text); }

    [[nodiscard]] std::vector<std::string> published() const {
        std::vector<std::string> lines;
        for (const PublishedPort& port : plan().network.publish) {
            lines.push_back(published_words(port));
        }
        return lines;
    }
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(network, NetworkTest)

BOOST_AUTO_TEST_CASE(a_missing_program_names_its_package_and_the_ways_out) {
    machine.network->slirp4netns.clear();
    CHECK_SAYS(error(), "--net slirp4netns: cannot give the sandbox a network of its own");
    CHECK_SAYS(error(), "fix: install the package slirp4netns");
    CHECK_SAYS(error(), "--net pasta");
    CHECK_SAYS(error(), "--net none");
    mode("pasta");
    machine.network->pasta.clear();
    CHECK_SAYS(error(), "fix: install the package passt");
}

BOOST_AUTO_TEST_CASE(a_closed_or_missing_device_is_told_apart) {
    machine.network->tun_error = EACCES;
    CHECK_SAYS(error(), "'/dev/net/tun': Permission denied");
    CHECK_SAYS(error(), "chmod 0666");
    machine.network->tun_error = ENOENT;
    CHECK_SAYS(error(), "modprobe tun");
}

BOOST_AUTO_TEST_CASE(published_ports_are_read_in_all_their_forms) {
    publish("8080:80");
    publish("0.0.0.0:8081:81/tcp");
    publish("[::1]:5353:53/udp");
    publish("9000-9001:90-91");
    publish("0:80");
    CHECK_LINES(published(), {"127.0.0.1:8080 leads to port 80, tcp", "0.0.0.0:8081 leads to port 81, tcp",
                              "[::1]:5353 leads to port 53, udp", "127.0.0.1:9000 leads to port 90, tcp",
                              "127.0.0.1:9001 leads to port 91, tcp", "127.0.0.1:a free port leads to port 80, tcp"});
}

BOOST_AUTO_TEST_CASE(malformed_ports_are_refused) {
    for (const char* text : {"80",
                             "8080:",
                             ":80",
                             "8080:65536",
                             "8080:0",
                             "8080:80/sctp",
                             "a:80",
                             "1.2.3:8080:80",
                             "::1:8080:80",
                             "[127.0.0.1]:8080:80",
                             "9000-9001:90",
                             "9001-9000:90-91",
                             "8080:80:",
                             "8080:-1",
                             "8080:80/tcp/udp",
                             "localhost:8080:80",
                             "[::1]8080:80",
                             ":",
                             ":::",
                             " 8080:80",
                             "+8080:80",
                             "[]:8080:80",
                             "[::1%lo]:8080:80",
                             "127.0.0.1::80"}) {
        profile.network.publish.items.clear();
        publish(text);
        BOOST_CHECK_MESSAGE(contains(error(), "cannot publish"), text << ": " << error());
    }
    profile.network.publish.items.clear();
    publish("[::ffff:127.0.0.1]:8080:80");
    CHECK_SAYS(error(), "stands for an IPv4 address");
}

BOOST_AUTO_TEST_CASE(a_free_port_begins_no_range_of_the_host) {
    machine.network->first_unprivileged_port = 0;
    publish("0-5:80-85");
    CHECK_SAYS(error(), "--publish 0-5:80-85: cannot publish '0-5:80-85'");
    CHECK_SAYS(error(), "port 0 is a free one");
    profile.network.publish.items.clear();
    publish("0:80-82");
    BOOST_TEST(published().size() == 3U);
}

BOOST_AUTO_TEST_CASE(a_privileged_port_and_one_named_twice_are_refused) {
    publish("80:80");
    CHECK_SAYS(error(), "--publish 80:80: cannot publish on port 80 of the host");
    CHECK_SAYS(error(), "ip_unprivileged_port_start");
    machine.network->first_unprivileged_port = 80;
    BOOST_CHECK_EQUAL(error(), "");
    publish("0.0.0.0:80:81");
    CHECK_SAYS(error(), "cannot publish port 80 twice");
    profile.network.publish.items.pop_back();
    publish("75-85:75-85");
    machine.network->first_unprivileged_port = 0;
    CHECK_SAYS(error(), "--publish 75-85:75-85: cannot publish port 80 twice");
    profile.network.publish.items.pop_back();
    publish("80:81/udp");
    BOOST_CHECK_EQUAL(error(), "");
}

BOOST_AUTO_TEST_CASE(what_needs_an_interface_is_refused_without_one) {
    mode("none");
    publish("8080:80");
    CHECK_SAYS(error(), "--publish 8080:80: cannot publish a port");
    profile.network.publish.items.clear();
    in_profile(profile.network.publish, "8080:80");
    CHECK_SAYS(notices(), "has no effect: the network is none");
}

BOOST_AUTO_TEST_CASE(a_resolver_inside_or_none_at_all_is_refused) {
    add(profile.network.dns, "--dns", "127.0.0.53");
    CHECK_SAYS(error(), "--dns 127.0.0.53: cannot ask a resolver at 127.0.0.53");
    profile.network.dns.items.clear();
    add(profile.network.dns, "--dns", "dns.example");
    CHECK_SAYS(error(), "it is no IP address");
    profile.network.dns.items.clear();
    machine.network->resolv_conf.clear();
    CHECK_SAYS(notices(), "names no resolver");
}

BOOST_AUTO_TEST_CASE(a_fourth_resolver_is_said_to_have_no_effect) {
    for (const char* address : {"192.0.2.1", "192.0.2.2", "192.0.2.3"}) {
        add(profile.network.dns, "--dns", address);
    }
    BOOST_CHECK(!contains(notices(), "has no effect"));
    add(profile.network.dns, "--dns", "192.0.2.4");
    CHECK_SAYS(notices(), "--dns 192.0.2.4 has no effect");
    add(profile.network.allow, "--net-allow", "deb.debian.org");
    BOOST_CHECK(!contains(notices(), "has no effect"));
}

BOOST_AUTO_TEST_CASE(search_domains_are_kept_and_servers_are_not) {
    machine.network->resolv_conf = "# x\nnameserver 127.0.0.53\noptions edns0\nsearch corp.example\n";
    BOOST_CHECK(has("text /etc/resolv.conf holds nameserver 10.0.2.3\\noptions edns0\\nsearch corp.example\\n"));
    // resolv.conf(5) separates with tabs too.
    machine.network->resolv_conf = "nameserver\t127.0.0.53\nsearch\tcorp.example\nsearched x\nsearch\n";
    BOOST_CHECK(has("text /etc/resolv.conf holds nameserver 10.0.2.3\\nsearch\\tcorp.example\\n"));
}

BOOST_AUTO_TEST_CASE(a_link_of_systemd_resolved_leads_to_the_sandboxs_own_file) {
    machine.link("/etc/resolv.conf", "../run/systemd/resolve/stub-resolv.conf"); // and dangles
    BOOST_CHECK(has("text /run/systemd/resolve/stub-resolv.conf holds nameserver 10.0.2.3\\n"));
}

BOOST_AUTO_TEST_CASE(a_file_of_names_that_the_host_lacks_is_told) {
    BOOST_CHECK(!contains(notices(), "is no file on the host"));
    machine.remove("/etc/hosts");
    CHECK_SAYS(notices(), "/etc/hosts is no file on the host, so the sandbox's own has no place: localhost may not");
    CHECK_SAYS(notices(), "sudo touch /etc/hosts");
    BOOST_CHECK(!has("text /etc/hosts holds"));
}

BOOST_AUTO_TEST_CASE(added_hosts_are_checked) {
    add(profile.network.hosts, "--add-host", "db.example:2001:db8::7");
    BOOST_CHECK(has("text /etc/hosts holds 127.0.0.1 localhost\\n::1 localhost ip6-localhost ip6-loopback\\n127.0.1.1 "
                    "sandbox\\n2001:db8::7 db.example\\n"));
    for (const char* text : {"db.example", ":192.0.2.7", "a b:192.0.2.7", "db:192.0.2", "db\n:192.0.2.7"}) {
        profile.network.hosts.items.clear();
        add(profile.network.hosts, "--add-host", text);
        BOOST_CHECK_MESSAGE(contains(error(), "cannot add the host"), text);
    }
}

BOOST_AUTO_TEST_CASE(addresses_know_the_loopback) {
    for (const char* text : {"127.0.0.1", "127.255.0.9", "::1", "::ffff:127.0.0.1"}) {
        BOOST_CHECK_MESSAGE(parse_address(text)->is_loopback(), text);
    }
    BOOST_CHECK(!parse_address("192.0.2.1")->is_loopback());
    BOOST_CHECK(!parse_address("localhost"));
}

BOOST_AUTO_TEST_CASE(only_a_global_address_beside_the_loopback_is_ipv6) {
    const std::string lo = "00000000000000000000000000000001 01 80 10 80       lo\n";
    const std::string link = "fe80000000000000000000000000000a 02 40 20 80     eth0\n";
    BOOST_CHECK(!host::lists_global_address(lo + link));
    BOOST_CHECK(host::lists_global_address(lo + link + "20010db8000000000000000000000001 02 40 00 80     eth0\n"));
    BOOST_CHECK(!host::lists_global_address(""));
}

BOOST_AUTO_TEST_CASE(a_route_that_refuses_is_no_way_to_everywhere) {
    const std::string none(32, '0');
    const auto line = [&](const char* flags, const char* name) {
        return none + " 00 " + none + " 00 20010db8000100000000000000000254 00000400 00000001 00000000 " + flags +
               "     " + name + "\n";
    };
    BOOST_CHECK(host::lists_default_route(line("00000003", "eth0")));
    BOOST_CHECK(!host::lists_default_route(line("00200200", "lo")));
    BOOST_CHECK(!host::lists_default_route(line("00000203", "eth0")));
    BOOST_CHECK(!host::lists_default_route(""));
}

BOOST_AUTO_TEST_SUITE_END()
