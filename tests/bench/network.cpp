#include "tests/bench/network.hpp"

#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <fmt/format.h>
#include <stdexcept>

#include "tests/bench/measure.hpp"
#include "tests/support/world.hpp"

namespace sandbox::bench {

using namespace test;

namespace {

constexpr int kPort = 18473;
constexpr int kStartRounds = 60;
constexpr int kTrafficRounds = 5;
constexpr long kBytes = 2'000'000'000;
constexpr int kConnections = 1000;
constexpr double kWantedThroughput = 0.95;
constexpr double kWantedStart = 1.0;

/// slirp4netns(1) beside bwrap(1), as their manuals have it: bwrap waits until the interface is there. As uid 0,
/// or it puts another user namespace inside, from which slirp4netns may not join the network's. "$@" runs inside. It
/// waits for slirp4netns's end, as sandbox does: the kernel takes the interface apart meanwhile.
constexpr const char* kByHand = R"SH(
set -e
d=$(mktemp -d); mkfifo $d/info $d/block $d/ready
bwrap --unshare-all --uid 0 --gid 0 --ro-bind / / --dev /dev --proc /proc --info-fd 5 --block-fd 4 "$@" 5>$d/info 4<>$d/block & bwrap=$!
child=$(sed -n 's/.*"child-pid": \([0-9]*\).*/\1/p' $d/info)
slirp4netns --configure --mtu=65520 $LOOPBACK --ready-fd=6 $child tap0 6<>$d/ready >/dev/null 2>&1 & slirp=$!
head -c 1 <$d/ready >/dev/null
echo >$d/block
wait $bwrap
kill $slirp
wait $slirp || true
rm -r $d
)SH";

Words by_hand(const std::string& loopback, const Words& command) {
    Words words = {"env", "LOOPBACK=" + loopback, "sh", "-c", kByHand, "sh"};
    words.insert(words.end(), command.begin(), command.end());
    return words;
}

Words in_sandbox(const Words& options, const Words& command) {
    Words words = {sandbox_program(), "-q", "--ro", probe_directory()};
    words.insert(words.end(), options.begin(), options.end());
    words.insert(words.end(), command.begin(), command.end());
    return words;
}

/// A way from a client to the host's loopback.
struct Way {
    std::string name;
    std::string address; ///< that leads to 127.0.0.1
    std::string absent;
    Words options; ///< of sandbox
    bool is_by_hand = false;
    bool is_direct = false;
    std::vector<double> seconds = {};

    [[nodiscard]] Words command(const Words& client) const {
        return is_direct ? client : is_by_hand ? by_hand("", client) : in_sandbox(options, client);
    }
    [[nodiscard]] double median() const { return quantile(seconds, 0.5); }
};

std::vector<Way> ways() {
    const auto mode = [&](const char* word) { return Words{"--net", word, "--host-loopback"}; };
    return {
        {"sandbox --net slirp4netns", "10.0.2.2", absent_unless_installed("slirp4netns"), mode("slirp4netns")},
        {"bwrap + slirp4netns by hand, same MTU", "10.0.2.2", absent_unless_installed("bwrap"), {}, true},
        {"sandbox --net pasta", "10.0.2.2", absent_unless_installed("pasta"), mode("pasta")},
        {"sandbox --net slirp4netns, held to a list",
         "10.0.2.2",
         absent_unless_installed("dnsmasq"),
         {"--host-loopback", "--net-allow", fmt::format("10.0.2.2:{}", kPort)}},
        {"the host's loopback", "127.0.0.1", "", {}, false, true},
    };
}

/// Runs the client over all ways, in turns. \return the ways with their seconds.
std::vector<Way> move_traffic(const World& world, const char* traffic, const std::string& what, long count) {
    std::vector<Way> all = ways();
    for (int round = 0; round < kTrafficRounds; ++round) {
        for (Way& way : all) {
            if (!way.absent.empty()) {
                continue;
            }
            const Words client = {traffic, what, way.address, std::to_string(kPort), std::to_string(count)};
            const Result result = run(way.command(client), world.here());
            const double seconds = std::atof(result.out.c_str());
            if (seconds <= 0) {
                way.absent = "does not run here: " + result.err.substr(0, result.err.find('\n'));
                continue;
            }
            way.seconds.push_back(seconds);
        }
    }
    return all;
}

bool say_ways(const std::string& title, const std::vector<Way>& all, const auto& words) {
    say("\n" + title);
    for (const Way& way : all) {
        say(fmt::format("  {:<46} {}", way.name, way.absent.empty() ? words(way.median()) : way.absent));
    }
    if (!all[0].absent.empty() || !all[1].absent.empty()) {
        return true;
    }
    const double as_much = all[1].median() / all[0].median();
    say(fmt::format("  {:.2f} of what slirp4netns does by hand (wanted: at least {:.2f}, {})", as_much,
                    kWantedThroughput, verdict(as_much >= kWantedThroughput)));
    return as_much >= kWantedThroughput;
}

bool measure_traffic(const World& world, const char* traffic) {
    Process server({traffic, "serve", std::to_string(kPort)}, world.here());
    if (!server.wait_for("ready")) {
        throw std::runtime_error("the server of the bench does not start");
    }
    const auto rate = [](double seconds) {
        return fmt::format("{:6.2f} Gbit/s", static_cast<double>(kBytes) * 8 / seconds / 1e9);
    };
    const auto each = [](double seconds) { return fmt::format("{:6.0f} us each", seconds / kConnections * 1e6); };
    const bool out =
        say_ways("Out of the sandbox, 2 GB, medians of 5", move_traffic(world, traffic, "send", kBytes), rate);
    const bool in =
        say_ways("Into the sandbox, 2 GB, medians of 5", move_traffic(world, traffic, "receive", kBytes), rate);
    const bool connections = say_ways("1000 connections, one after the other, medians of 5",
                                      move_traffic(world, traffic, "connect", kConnections), each);
    return out && in && connections;
}

bool measure_starts(const World& world) {
    const auto with = [](const Words& options) { return in_sandbox(options, {"true"}); };
    std::vector<Contestant> all = {
        {"sandbox --net slirp4netns true", with({"--net", "slirp4netns"}), absent_unless_installed("slirp4netns"), {}},
        {"bwrap + slirp4netns by hand",
         by_hand("--disable-host-loopback", {"true"}),
         absent_unless_installed("bwrap"),
         {}},
        {"rootlesskit --net=slirp4netns true",
         {"rootlesskit", "--net=slirp4netns", "--mtu=65520", "--disable-host-loopback", "--copy-up=/etc", "true"},
         absent_unless_installed("rootlesskit"),
         {}},
        {"sandbox --net pasta true", with({"--net", "pasta"}), absent_unless_installed("pasta"), {}},
        {"sandbox --net slirp4netns --net-allow NAME true",
         with({"--net-allow", "deb.debian.org"}),
         absent_unless_installed("dnsmasq"),
         {}},
        {"sandbox --net host true", with({"--net", "host"}), "", {}},
        {"sandbox --net none true", with({"--net", "none"}), "", {}},
    };
    find_absent(all, world);
    measure(all, world, kStartRounds);
    say_table("A start with each network", all);
    return say_verdict(all[0], all[1], "bwrap + slirp4netns", kWantedStart);
}

} // namespace

bool measure_network(const char* traffic) {
    const World world;
    const bool starts = measure_starts(world);
    return measure_traffic(world, traffic) && starts;
}

} // namespace sandbox::bench
