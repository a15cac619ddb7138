// What goes over the network held to a rate: both ways, TCP and UDP, behind each backend, measured at the receiver; and
// that CMD cannot raise it. The host of these tests is a network namespace that each makes for itself.
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <cstdlib>
#include <sstream>
#include <string>
#include <vector>

#include "tests/support/count.hpp"
#include "tests/support/world.hpp"

using namespace sandbox::test;

namespace {

/// Both ends. `serve ADDR PORT` answers over TCP and UDP; `in|out tcp|udp ADDR PORT CONNECTIONS RATE` prints how many
/// bytes a second came to the receiver, over a window that begins when all is under way. RATE is what UDP is sent at.
constexpr const char* kTraffic = R"PY(
import select, socket, sys, threading, time
WARM_UP, WINDOW = 0.5, 1.3
class Meter:
    def __init__(self):
        self.first = self.begin = None
    def count(self, size):
        now = time.monotonic()
        self.first = self.first or now
        if self.begin is None:
            if now - self.first >= WARM_UP:
                self.begin, self.bytes = now, 0
            return None
        self.bytes += size
        if now - self.begin < WINDOW:
            return None
        return b'%d\n' % (self.bytes / (now - self.begin))
def family(address):
    return socket.AF_INET6 if ':' in address else socket.AF_INET
def give(peer):
    block = b'x' * 65536
    try:
        while True:
            peer.sendall(block)
    except OSError:
        peer.close()
def serve_tcp(address, port):
    listener = socket.create_server((address, port), family=family(address), backlog=64)
    meter, senders, told = Meter(), set(), set()
    while True:
        for ready in select.select([listener, *senders], [], [])[0]:
            if ready is listener:
                peer, _ = listener.accept()
                if peer.recv(1) == b'd':
                    threading.Thread(target=give, args=(peer,), daemon=True).start()
                else:
                    senders.add(peer)
                continue
            try:
                size = len(ready.recv(1 << 18))
            except OSError:
                size = 0
            if not size:
                senders.discard(ready)
                told.discard(ready)
                ready.close()
            # Who has his answer is read to his end: closed now, the answer could be lost in a reset.
            elif ready not in told and (answer := meter.count(size)):
                for peer in senders - told:
                    try:
                        peer.sendall(answer)
                    except OSError:
                        pass
                told |= senders
                meter = Meter()
def send_paced(s, peer, rate, seconds, stop=lambda: False):
    block = b'u' * 1200
    begin, sent = time.monotonic(), 0
    while (passed := time.monotonic() - begin) < seconds and not stop():
        if sent > passed * rate:
            time.sleep(0.001)
            continue
        try:
            s.sendto(block, peer) if peer else s.send(block)
        except BlockingIOError:
            time.sleep(0.001)
        sent += len(block)
def serve_udp(address, port):
    s = socket.socket(family(address), socket.SOCK_DGRAM)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
    s.bind((address, port))
    meter = Meter()
    while True:
        data, peer = s.recvfrom(65536)
        if data[:1] == b'd':
            words = (s, peer, int(data[1:]), WARM_UP + WINDOW + 2)
            threading.Thread(target=send_paced, args=words, daemon=True).start()
        elif data[:1] == b'e':
            s.sendto(data, peer)
        elif answer := meter.count(len(data)):
            for _ in range(20):
                s.sendto(answer, peer)
def over_udp(direction, address, port, rate):
    s = socket.socket(family(address), socket.SOCK_DGRAM)
    s.connect((address, port))
    if direction == 'out':
        s.setblocking(False)
        answer = []
        def stop():
            try:
                answer.append(s.recv(99))
            except OSError:
                pass
            return answer
        send_paced(s, None, rate, 60, stop)
        return answer[0]
    s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
    s.send(b'd%d' % rate)
    s.settimeout(60)
    meter = Meter()
    while not (answer := meter.count(len(s.recv(65536)))):
        pass
    return answer
def over_tcp(direction, address, port, number):
    peers = [socket.create_connection((address, port), 30) for _ in range(number)]
    for peer in peers:
        peer.sendall(b'u' if direction == 'out' else b'd')
    if direction == 'in':
        meter = Meter()
        while True:
            for peer in select.select(peers, [], [])[0]:
                if answer := meter.count(len(peer.recv(1 << 18))):
                    return answer
    block = b'x' * 65536
    for peer in peers:
        peer.setblocking(False)
    while True:
        can_read, can_write, _ = select.select(peers, peers, [])
        for peer in can_read:
            return peer.recv(99)
        for peer in can_write:
            try:
                peer.send(block)
            except BlockingIOError:
                pass
if sys.argv[1] == 'serve':
    for address, port in zip(sys.argv[2::2], sys.argv[3::2]):
        for work in (serve_tcp, serve_udp):
            threading.Thread(target=work, args=(address, int(port)), daemon=True).start()
    time.sleep(0.3)
    print('ready', flush=True)
    threading.Event().wait()
direction, protocol, address, port, number, rate = sys.argv[1:]
answer = over_udp(direction, address, int(port), int(rate)) if protocol == 'udp' else \
    over_tcp(direction, address, int(port), int(number))
sys.stdout.write(answer.decode())
)PY";

/// With rights over its network CMD tries what a rate could hang on. Each line says how it went.
constexpr const char* kAttack = R"PY(
import os, socket, struct, subprocess, time
def say(what, result):
    print(what, 'ok' if result == 0 else os.strerror(result), flush=True)
def attribute(kind, data):
    return struct.pack('HH', len(data) + 4, kind) + data + b'\0' * (-len(data) % 4)
def ask(kind, flags, body):
    s = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0)
    s.send(struct.pack('IHHII', 16 + len(body), kind, flags | 5, 1, 0) + body)
    return s.recv(65536)
def error(reply):
    return -struct.unpack('i', reply[16:20])[0] if struct.unpack('H', reply[4:6])[0] == 2 else 0
LINK = struct.pack('BxHiII', 0, 0, 0, 0, 0)
def peers_namespace(device):
    reply = ask(18, 0, LINK + attribute(3, device + b'\0'))  # RTM_GETLINK, IFLA_IFNAME
    at = 32
    while at + 4 <= len(reply):
        size, kind = struct.unpack('HH', reply[at:at + 4])
        if kind == 37:  # IFLA_LINK_NETNSID
            return struct.unpack('i', reply[at + 4:at + 8])[0]
        at += (size + 3) & ~3
def reach(what, device, name):
    target = attribute(46, struct.pack('i', peers_namespace(device))) + attribute(3, name + b'\0')
    say('look at ' + what, error(ask(18, 0, LINK + target)))  # IFLA_TARGET_NETNSID
    say('delete ' + what, error(ask(17, 0, LINK + target)))  # RTM_DELLINK
def run(what, *words):
    say(what, 1 if subprocess.run(words, capture_output=True).returncode else 0)
# What CMD itself made is its own: the same requests succeed there.
other = subprocess.Popen(['unshare', '--net', 'sleep', '60'])
time.sleep(0.5)
run('make a pair', 'ip', 'link', 'add', 'mine', 'type', 'veth', 'peer', 'name', 'yours', 'netns', str(other.pid))
run('limit mine', 'tc', 'qdisc', 'add', 'dev', 'mine', 'root', 'tbf', 'rate', '1mbit', 'burst', '10k', 'latency', '50ms')
run('free mine', 'tc', 'qdisc', 'del', 'dev', 'mine', 'root')
reach('yours', b'mine', b'yours')
other.kill()
# The interface that the limit is behind.
for device in (b'cable', b'near', b'out', b'in', b'far', b'tap0'):
    reach(device.decode(), b'tap0', device)
run('replace the queue', 'tc', 'qdisc', 'replace', 'dev', 'tap0', 'root', 'pfifo_fast')
run('raise the mtu', 'ip', 'link', 'set', 'tap0', 'mtu', '65535')
run('add an address', 'ip', 'address', 'add', '10.0.2.77/24', 'dev', 'tap0')
run('change the hardware address', 'ip', 'link', 'set', 'tap0', 'address', '02:00:00:00:00:99')
run('change it back', 'ip', 'link', 'set', 'tap0', 'address', open('hardware').read().strip())
)PY";

/// What is measured: `words` as the client takes them, without the port.
struct Flow {
    std::string options; ///< of the sandbox
    std::string direction;
    std::string protocol;
    std::string address = "198.51.100.1";
    int connections = 1;
    double wanted = 0; ///< bytes a second; 0: only measured
};

constexpr double kMegabit = 125'000;

/// What each flow came to, as a share of what was wanted.
struct Shares {
    std::vector<double> shares;
    Result last;

    [[nodiscard]] bool all_within(double least, double most) const {
        return !shares.empty() &&
               std::ranges::all_of(shares, [&](double share) { return least <= share && share <= most; });
    }
};

std::ostream& operator<<(std::ostream& out, const Shares& shares) {
    for (const double share : shares.shares) {
        out << share << ' ';
    }
    return out << '\n' << shares.last;
}

struct BandwidthWorld : World {
    BandwidthWorld() {
        write(project / "traffic.py", kTraffic);
        profile("lone", "extends = \"default\"\n[ids]\nmap = \"self\"\ngroups = \"keep\"\n");
    }

    static constexpr const char* kMissing = "slirp4netns, pasta, /dev/net/tun or the kernel's veth, bridge or tbf is "
                                            "missing";

    /// Whether this machine can give a sandbox a network and hold it to a rate.
    bool can_limit() const {
        return installed("slirp4netns") && installed("pasta") && ::access("/dev/net/tun", R_OK | W_OK) == 0 &&
               run({sandboxctl_program(), "doctor"}, here()).printed("ok       what goes over a sandbox's network");
    }

    /// `script` on a host of its own, with $SANDBOX, and servers on the ports from 8000 on.
    Result on_host(const std::string& script, std::size_t servers = 1) const {
        std::string addresses;
        for (std::size_t i = 0; i < servers; ++i) {
            const std::string port = std::to_string(8000 + i);
            addresses += " 198.51.100.1 " + port + " 2001:db8::1 " + port;
        }
        const std::string setup =
            "set -e; PATH=$PATH:/usr/sbin:/sbin; ip link set lo up; ip address add 198.51.100.1/24 dev lo; "
            "ip address add 2001:db8::1/64 dev lo nodad; ip link add out0 type veth peer name out1; "
            "ip address add 203.0.113.1/24 dev out0; ip address add 2001:db8:1::1/64 dev out0 nodad; "
            "ip link set out0 up; ip link set out1 up; ip route add default via 203.0.113.254; "
            "ip route add default via 2001:db8:1::254; ulimit -n 4096; "
            "python3 traffic.py serve" +
            addresses +
            " >servers.log 2>&1 & servers=$!; trap 'kill $servers' EXIT; "
            "for i in $(seq 400); do grep -q ready servers.log && break; sleep 0.05; done; set +e; ";
        Options options = here();
        options.watchdog = std::chrono::minutes(10); // many programs, on a slow machine too
        options.environment["SANDBOX"] = sandbox_program() + " -q -p lone";
        return run({"unshare", "--user", "--map-current-user", "--keep-caps", "--net", "sh", "-c", setup + script},
                   options);
    }

    /// All flows at once.
    Shares measure_once(const std::vector<Flow>& flows) const {
        std::string script;
        for (std::size_t i = 0; i < flows.size(); ++i) {
            const Flow& flow = flows[i];
            std::ostringstream words;
            words << "$SANDBOX " << flow.options << " timeout 60 python3 traffic.py " << flow.direction << ' '
                  << flow.protocol << ' ' << flow.address << ' ' << 8000 + i << ' ' << flow.connections << ' '
                  << static_cast<long>(flow.wanted * 1.5) << " >rate" << i << " & p" << i << "=$!; ";
            script += words.str();
        }
        for (std::size_t i = 0; i < flows.size(); ++i) {
            script += "wait $p" + std::to_string(i) + "; ";
        }
        script += "cat rate*; ";
        Shares found;
        found.last = on_host(script, flows.size());
        for (std::size_t i = 0; i < flows.size(); ++i) {
            const std::string text = read_file(project / ("rate" + std::to_string(i)));
            found.shares.push_back((text.empty() ? 0 : std::stod(text)) / (flows[i].wanted > 0 ? flows[i].wanted : 1));
        }
        return found;
    }

    /// What a flow must come to at least: on a machine that is slow in itself only what is too much says something.
    static bool is_emulated() { return std::getenv("SANDBOX_TEST_SLOW") != nullptr; }
    static double least() { return is_emulated() ? 0.01 : 0.9; }

    /// A machine under load may be slower than the limit; it never makes anything faster. So too much fails at once,
    /// and too little has other tries. The clock of an emulated machine stands still and leaps, so there too much has
    /// other tries as well: without the limit none of them is within it.
    Shares measure(const std::vector<Flow>& flows) const {
        Shares found;
        for (int i = 0; i < 5; ++i) {
            found = measure_once(flows);
            const bool is_too_much = !found.all_within(0, 1.1);
            if ((is_too_much && !is_emulated()) || found.all_within(least(), 1.1)) {
                break;
            }
        }
        return found;
    }
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(bandwidth, BandwidthWorld)

BOOST_AUTO_TEST_CASE(each_way_is_held_for_tcp_and_udp_behind_each_backend) {
    NEEDS(can_limit(), kMissing);
    for (const std::string backend : {"slirp4netns", "pasta"}) {
        std::vector<Flow> flows;
        for (const std::string direction : {"in", "out"}) {
            for (const int rate : {5, 20}) {
                const std::string limits =
                    "--net " + backend + " --net-" + direction + " " + std::to_string(rate) + "mbit";
                flows.push_back({limits, direction, "tcp", "198.51.100.1", 1, rate * kMegabit});
                flows.push_back({limits, direction, "udp", "198.51.100.1", 1, rate * kMegabit});
            }
            flows.push_back({"--net " + backend + " --net-" + direction + " 1MB/s", direction, "tcp", "2001:db8::1", 1,
                             8 * kMegabit});
        }
        const Shares shares = measure(flows);
        BOOST_TEST(shares.all_within(least(), 1.1), backend << ": " << shares);
    }
}

BOOST_AUTO_TEST_CASE(a_faster_rate_is_reached_and_held) {
    NEEDS(can_limit(), kMissing);
    for (const std::string backend : {"slirp4netns", "pasta"}) {
        for (const std::string protocol : {"tcp", "udp"}) {
            const std::string limits = "--net " + backend + " --net-in 100mbit --net-out 100mbit";
            const Shares shares = measure({{limits, "in", protocol, "198.51.100.1", 1, 100 * kMegabit},
                                           {limits, "out", protocol, "198.51.100.1", 1, 100 * kMegabit}});
            BOOST_TEST(shares.all_within(least(), 1.1), backend << ' ' << protocol << ": " << shares);
        }
    }
}

BOOST_AUTO_TEST_CASE(eight_connections_share_the_rate) {
    NEEDS(can_limit(), kMissing);
    std::vector<Flow> flows;
    for (const std::string backend : {"slirp4netns", "pasta"}) {
        for (const std::string direction : {"in", "out"}) {
            flows.push_back({"--net " + backend + " --net-" + direction + " 20mbit", direction, "tcp", "198.51.100.1",
                             8, 20 * kMegabit});
        }
    }
    const Shares shares = measure(flows);
    BOOST_TEST(shares.all_within(least(), 1.1), shares);
}

BOOST_AUTO_TEST_CASE(the_other_way_and_the_loopback_are_free) {
    NEEDS(can_limit(), kMissing);
    const Shares shares = measure_once({{"--net-in 2mbit", "out", "tcp", "198.51.100.1", 1, 2 * kMegabit},
                                        {"--net-out 2mbit", "in", "tcp", "198.51.100.1", 1, 2 * kMegabit}});
    BOOST_TEST(shares.all_within(4, 1e9), shares);
    const Result loopback = on_host("$SANDBOX --net-in 2mbit --net-out 2mbit sh -c 'python3 traffic.py serve 127.0.0.1 "
                                    "8000 >log & while ! grep -q ready log; do sleep 0.1; done; "
                                    "python3 traffic.py in tcp 127.0.0.1 8000 1 0; kill $!'");
    BOOST_TEST((!loopback.out.empty() && std::stod(loopback.out) > 8 * kMegabit), loopback);
}

BOOST_AUTO_TEST_CASE(cmd_cannot_raise_it_with_all_rights_over_its_network) {
    NEEDS(can_limit(), kMissing);
    profile("mighty", "extends = \"permissive\"\n[ids]\nmap = \"self\"\ngroups = \"keep\"\n[network]\n"
                      "mode = \"slirp4netns\"\n[capabilities]\nkeep = [\"all\"]\n");
    write(project / "attack.py", kAttack);
    const std::string script = "$SANDBOX -p mighty --rw . --net-out 5mbit sh -c 'PATH=$PATH:/usr/sbin:/sbin; "
                               "ip link show tap0 | sed -n \"s/.*ether \\([^ ]*\\).*/\\1/p\" >hardware; python3 "
                               "attack.py; python3 traffic.py out tcp 198.51.100.1 8000 1 0'";
    const Result result = on_host(script);
    for (const char* own : {"make a pair ok", "limit mine ok", "free mine ok", "look at yours ok", "delete yours ok",
                            "replace the queue ok", "raise the mtu ok", "change it back ok"}) {
        BOOST_TEST(result.printed(own), own << '\n' << result);
    }
    for (const std::string device : {"cable", "near", "out", "in", "far", "tap0"}) {
        BOOST_TEST(result.printed("look at " + device + " Permission denied"), device << '\n' << result);
        BOOST_TEST(result.printed("delete " + device + " Permission denied"), device << '\n' << result);
    }
    const std::size_t last = result.out.rfind('\n', result.out.size() - 2);
    const double rate = last == std::string::npos ? 0 : std::atof(result.out.c_str() + last + 1);
    BOOST_TEST(rate > 0, result);
    BOOST_TEST(rate < 1.1 * 5 * kMegabit, result);
}

BOOST_AUTO_TEST_CASE(a_run_without_a_limit_has_no_namespace_more) {
    NEEDS(can_limit(), kMissing);
    const Result result =
        on_host("for o in '' '--net-in unlimited' '--net-in 1mbit'; do $SANDBOX $o sh -c 'PATH=$PATH:/usr/sbin:/sbin; "
                "ip -d link show tap0 | grep -oE \"mtu [0-9]+ qdisc|tun type tap|veth\"; "
                "ip address show tap0 | grep -o 10.0.2.100/24; ip route show default'; done");
    const std::string address = "10.0.2.100/24\ndefault via 10.0.2.2 dev tap0 \n";
    const std::string free = "mtu 65520 qdisc\ntun type tap\n" + address;
    BOOST_TEST(result.out == free + free + "mtu 1500 qdisc\nveth\n" + address, result);
}

BOOST_AUTO_TEST_CASE(the_users_own_ids_and_capabilities_are_enough) {
    NEEDS(can_limit(), kMissing);
    const Result result = sandbox({"--net-in", "20mbit", "--net-out", "2MB/s", "--", "sh", "-c",
                                   "PATH=$PATH:/usr/sbin:/sbin; ip link show tap0; ip route show default"});
    BOOST_TEST(result.status == 0, result);
    BOOST_TEST(result.printed("mtu 10000 "), result); // 5 ms of the slower way
    BOOST_TEST(result.printed("default via 10.0.2.2"), result);
}

BOOST_AUTO_TEST_CASE(a_published_port_is_held_too) {
    NEEDS(can_limit(), kMissing);
    for (const std::string backend : {"slirp4netns", "pasta"}) {
        const Result result = on_host(
            "$SANDBOX --net " + backend +
            " --net-in 8mbit --net-out 8mbit --publish 18000:9000 --publish 18000:9000/udp --publish 18001:9001 "
            "sh -c 'python3 traffic.py serve 127.0.0.1 9000 ::1 9001 >inside.log' & run=$!; "
            "for i in $(seq 400); do grep -q ready inside.log && break; sleep 0.05; done; "
            "python3 traffic.py in tcp 127.0.0.1 18000 1 0 & in=$!; python3 traffic.py out tcp 127.0.0.1 18000 1 0; "
            "wait $in; "
            "python3 traffic.py in tcp 127.0.0.1 18001 1 0; "
            "python3 -c \"import socket; s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.settimeout(20); "
            "s.sendto(b'echo', ('127.0.0.1', 18000)); print(s.recv(99).decode())\"; kill $run; wait $run");
        std::istringstream lines(result.out);
        for (int i = 0; i < 3; ++i) {
            double rate = 0;
            lines >> rate;
            BOOST_TEST(rate > 0, backend << result);
            BOOST_TEST(rate < 1.1 * 8 * kMegabit, backend << result);
        }
        BOOST_TEST(result.printed("echo"), backend << result);
        BOOST_REQUIRE(::unlink((project / "inside.log").c_str()) == 0);
    }
}

BOOST_AUTO_TEST_CASE(a_list_of_hosts_holds_beside_it) {
    NEEDS(can_limit(), kMissing);
    NEEDS(installed("nft") && installed("dnsmasq"), "nftables or dnsmasq is missing");
    const Result result =
        on_host("$SANDBOX --net-in 8mbit --net-allow 198.51.100.1:8000 sh -c 'python3 traffic.py in tcp 198.51.100.1 "
                "8000 1 0; python3 traffic.py in tcp 198.51.100.1 8001 1 0'",
                2);
    BOOST_TEST((!result.out.empty() && std::stod(result.out) < 1.1 * 8 * kMegabit), result);
    BOOST_TEST(result.said("refused"), result);
}

BOOST_AUTO_TEST_CASE(nothing_is_left_of_it_however_the_run_ends) {
    NEEDS(can_limit(), kMissing);
    const Belongings before = belongings(*this);
    for (const int signal : {SIGTERM, SIGKILL}) {
        Process run({sandbox_program(), "-q", "--net-in", "1mbit", "--publish", "0:80", "--", "sh", "-c",
                     "echo up; exec sleep 1000"},
                    here());
        BOOST_REQUIRE(run.wait_for("up\n"));
        run.signal(signal);
        static_cast<void>(run.finish());
        const Belongings after = belongings_settled(*this, before);
        BOOST_TEST(after.processes == before.processes, after);
    }
}

BOOST_AUTO_TEST_CASE(a_kernel_that_cannot_hold_it_follows_the_profile) {
    NEEDS(can_limit(), kMissing);
    NEEDS(installed("strace"), "strace is not installed");
    profile("modest", "extends = \"default\"\n[limits]\nnet-in = \"20mbit\"\nwhen-unavailable = \"warn\"\n");
    // The first word to the kernel's netlink that is not getifaddrs(3)'s is about a bridge.
    const Words fails = {"strace", "-o", "/dev/null", "-e", "inject=sendto:error=EOPNOTSUPP:when=3"};
    const auto start = [&](Words words) {
        Words command = fails;
        command.push_back(sandbox_program());
        command.insert(command.end(), words.begin(), words.end());
        return run(command, here());
    };
    const Result refused = start({"--net-in", "20mbit", "true"});
    BOOST_TEST(refused.status == 125, refused);
    BOOST_TEST(refused.said("--net-in 20mbit: cannot limit what goes over the network"), refused);
    BOOST_TEST(refused.said("cannot make the bridge 'near'"), refused);
    BOOST_TEST(refused.said("Operation not supported"), refused);
    BOOST_TEST(refused.said("sch_tbf"), refused);
    const Result told = start({"-p", "modest", "sh", "-c", "PATH=$PATH:/usr/sbin:/sbin; ip link show tap0"});
    BOOST_TEST(told.printed("mtu 65520 "), told);
    BOOST_TEST(told.said("note: "), told);
    BOOST_TEST(told.said("no limit of what goes over the network"), told);
}

BOOST_AUTO_TEST_CASE(without_an_interface_it_is_an_error) {
    for (const std::string mode : {"none", "host"}) {
        const Result result = sandbox({"--net", mode, "--net-out", "20mbit", "true"});
        BOOST_TEST(result.status == 125, result);
        BOOST_TEST(result.said("--net-out 20mbit: cannot limit what goes over the network"), result);
        BOOST_TEST(result.said("the sandbox has no interface of its own"), result);
    }
}

BOOST_AUTO_TEST_SUITE_END()
