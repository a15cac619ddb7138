// How the programs are called that give a sandbox its interface: each word that keeps something closed is there.
#include <algorithm>
#include <boost/test/unit_test.hpp>

#include "netns/backend.hpp"

using namespace sandbox;
using namespace sandbox::netns;

namespace {

NetworkPlan interface(NetworkPlan::Mode mode) {
    NetworkPlan plan;
    plan.mode = mode;
    plan.program = "/usr/bin/backend";
    plan.maps_root = true;
    plan.forwards_dns = true;
    return plan;
}

bool has(const NetworkPlan& plan, const std::string& word) {
    const std::vector<std::string> words = backend_arguments(plan, 65520);
    return std::ranges::find(words, word) != words.end();
}

/// Whether the option stands there with this word behind it.
bool has(const NetworkPlan& plan, const std::string& option, const std::string& value) {
    const std::vector<std::string> words = backend_arguments(plan, 65520);
    const auto found = std::ranges::adjacent_find(
        words, [&](const std::string& word, const std::string& next) { return word == option && next == value; });
    return found != words.end();
}

} // namespace

BOOST_AUTO_TEST_SUITE(backend)

BOOST_AUTO_TEST_CASE(slirp4netns_is_locked_in_watches_for_our_end_and_keeps_the_hosts_loopback_closed) {
    NetworkPlan plan = interface(NetworkPlan::Mode::slirp4netns);
    for (const char* word : {"--configure", "--mtu=65520", "--ready-fd=4", "--exit-fd=5", "--enable-seccomp",
                             "--enable-sandbox", "--disable-host-loopback", "--netns-type=path", "/proc/self/fd/3"}) {
        BOOST_TEST(has(plan, word), word);
    }
    BOOST_TEST(!has(plan, "--enable-ipv6"));
    BOOST_TEST(!has(plan, "--disable-dns"));
    plan.ipv6 = true;
    plan.host_loopback = true;
    plan.forwards_dns = false;
    plan.maps_root = false;
    BOOST_TEST(has(plan, "--enable-ipv6"));
    BOOST_TEST(has(plan, "--disable-dns"));
    BOOST_TEST(!has(plan, "--disable-host-loopback"));
    BOOST_TEST(!has(plan, "--enable-sandbox"));
    BOOST_TEST(has(plan, "--enable-seccomp"));
}

BOOST_AUTO_TEST_CASE(pasta_opens_no_port_in_either_direction_and_keeps_the_hosts_loopback_closed) {
    NetworkPlan plan = interface(NetworkPlan::Mode::pasta);
    for (const char* option : {"--tcp-ports", "--udp-ports", "--tcp-ns", "--udp-ns"}) {
        BOOST_TEST(has(plan, option, "none"), option);
    }
    BOOST_TEST(has(plan, "--foreground"));
    BOOST_TEST(has(plan, "--no-map-gw"));
    BOOST_TEST(has(plan, "--ipv4-only"));
    BOOST_TEST(has(plan, "--dns-forward", "10.0.2.3"));
    BOOST_TEST(has(plan, "--pid", "/proc/self/fd/4"));
    BOOST_TEST(has(plan, "--netns", "/proc/self/fd/3"));
    plan.ipv6 = true;
    plan.host_loopback = true;
    plan.forwards_dns = false;
    BOOST_TEST(!has(plan, "--no-map-gw"));
    BOOST_TEST(!has(plan, "--ipv4-only"));
    BOOST_TEST(!has(plan, "--dns-forward"));
}

BOOST_AUTO_TEST_SUITE_END()
