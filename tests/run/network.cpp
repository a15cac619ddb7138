// The sandbox's own network: what it reaches, what it does not, how it starts and ends. The "host" of these tests is a
// network namespace that each makes for itself, with servers of our own and no way out.
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <iterator>
#include <string>

#include "tests/support/count.hpp"
#include "tests/support/world.hpp"

using namespace sandbox::test;

namespace {

/// An echo server for HTTP and UDP at 198.51.100.1 and 2001:db8::1, port 8000, and a server on 127.0.0.1:8001.
constexpr const char* kServers = R"PY(
import http.server, socket, socketserver, sys, threading
class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = 'HTTP/1.1'
    def answer(self, body):
        self.send_response(200)
        self.send_header('Content-Length', str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def do_GET(self):
        self.answer(b'hello\n' if self.path == '/' else b'x' * int(self.path[1:]))
    def do_POST(self):
        self.answer(self.rfile.read(int(self.headers['Content-Length'])))
    def log_message(self, *words): pass
class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 1024
class Server6(Server):
    address_family = socket.AF_INET6
def udp():
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.bind(('198.51.100.1', 8000))
    while True:
        data, peer = s.recvfrom(65536)
        s.sendto(data, peer)
def bulk():
    import hashlib
    block = bytes(range(256)) * 4096
    server = socket.create_server(('198.51.100.1', 8002))
    while True:
        peer, _ = server.accept()
        wanted = int(peer.recv(16, socket.MSG_WAITALL))
        digest = hashlib.sha256()
        for i in range(wanted):
            part = i.to_bytes(8, 'big') + block[8:]
            digest.update(part)
            peer.sendall(part)
        if wanted == 0:
            while (part := peer.recv(1 << 20)):
                digest.update(part)
        peer.sendall(digest.digest())
        peer.close()
threading.Thread(target=bulk, daemon=True).start()
threading.Thread(target=udp, daemon=True).start()
for server in (Server(('127.0.0.1', 8001), Handler), Server6(('2001:db8::1', 8000), Handler)):
    threading.Thread(target=server.serve_forever, daemon=True).start()
server = Server(('198.51.100.1', 8000), Handler)
print('ready', flush=True)
server.serve_forever()
)PY";

struct NetworkWorld : World {
    /// Whether this machine can give a sandbox a network.
    static bool can_attach() { return installed("slirp4netns") && ::access("/dev/net/tun", R_OK | W_OK) == 0; }

    /// `sandbox WORDS...` on a host of its own: `script` runs there, as the user, with $SANDBOX and the servers.
    Result on_host(const std::string& script) const {
        write(home / "servers.py", kServers);
        const std::string setup =
            "set -e; PATH=$PATH:/usr/sbin:/sbin; ip link set lo up; ip address add 198.51.100.1/24 dev lo; "
            "ip address add 2001:db8::1/64 dev lo nodad; ip link add out0 type veth peer name out1; "
            "ip address add 203.0.113.1/24 dev out0; ip address add 2001:db8:1::1/64 dev out0 nodad; "
            "ip link set out0 up; ip link set out1 up; ip route add default via 203.0.113.254; "
            "ip route add default via 2001:db8:1::254; "
            "sysctl -qw net.ipv4.ip_unprivileged_port_start=1024 2>/dev/null || true; "
            "python3 " +
            (home / "servers.py").string() + " >" + (home / "servers.log").string() +
            " 2>&1 & servers=$!; trap 'kill $servers' EXIT; "
            "for i in $(seq 200); do grep -q ready " +
            (home / "servers.log").string() + " && break; sleep 0.05; done; set +e; ";
        Options options = here();
        options.watchdog = std::chrono::minutes(10); // hundreds of programs, on a slow machine too
        options.environment["SANDBOX"] = sandbox_program();
        options.environment["PROFILE"] = single_id();
        // The map keeps the user's own id, so that the sandbox inside sees the user it knows, and gives no range.
        return run({"unshare", "--user", "--map-current-user", "--keep-caps", "--net", "sh", "-c", setup + script},
                   options);
    }

    /// On such a host newuidmap has no ids to give: the sandbox takes the user's alone.
    std::string single_id() const {
        profile("lone", "extends = \"default\"\n[ids]\nmap = \"self\"\ngroups = \"keep\"\n");
        return "lone";
    }
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(network, NetworkWorld)

BOOST_AUTO_TEST_CASE(the_default_profile_has_an_interface_a_route_and_names_of_its_own) {
    NEEDS(can_attach(), "slirp4netns or /dev/net/tun is missing");
    const Result shown = inside("default", {"sh", "-c",
                                            "grep -c tap0 /proc/net/route; cat /etc/resolv.conf /etc/hosts "
                                            "/etc/hostname; getent hosts sandbox"});
    BOOST_TEST(shown.status == 0, shown);
    BOOST_TEST(shown.printed("2\n"), shown);
    BOOST_TEST(shown.printed("nameserver 10.0.2.3"), shown);
    BOOST_TEST(shown.printed("127.0.1.1 sandbox"), shown);
    BOOST_TEST(shown.printed("\nsandbox\n"), shown);
}

BOOST_AUTO_TEST_CASE(without_a_network_the_names_are_the_sandboxs_own_too) {
    const Result shown = strict_sh("cat /etc/hosts /etc/hostname; echo x >/etc/hosts");
    BOOST_TEST(shown.printed("127.0.1.1 sandbox"), shown);
    BOOST_TEST(shown.said("Read-only file system"), shown);
}

BOOST_AUTO_TEST_CASE(each_backend_reaches_http_ipv6_and_udp) {
    NEEDS(can_attach(), "slirp4netns or /dev/net/tun is missing");
    for (const std::string backend : {"slirp4netns", "pasta"}) {
        NEEDS(installed(backend), backend + " is not installed");
        const Result result =
            on_host("$SANDBOX -q -p $PROFILE --net " + backend +
                    " sh -c 'curl -sS -m 10 http://198.51.100.1:8000/; curl -sS -m 10 \"http://[2001:db8::1]:8000/\"; "
                    "python3 -c \"import socket; s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); "
                    "s.settimeout(5); s.sendto(b\\\"echo\\\", (\\\"198.51.100.1\\\", 8000)); print(s.recv(99))\"'");
        BOOST_TEST(result.out == "hello\nhello\nb'echo'\n", backend << result);
    }
}

BOOST_AUTO_TEST_CASE(much_passes_both_ways_whole) {
    NEEDS(can_attach(), "slirp4netns or /dev/net/tun is missing");
    const Result result = on_host("$SANDBOX -q -p $PROFILE sh -c 'head -c 50000000 /dev/urandom > /tmp/sent; "
                                  "curl -sS -m 60 --data-binary @/tmp/sent http://198.51.100.1:8000/ > /tmp/got; "
                                  "cmp /tmp/sent /tmp/got && echo same'");
    BOOST_TEST(result.out == "same\n", result);
}

BOOST_AUTO_TEST_CASE(a_gigabyte_passes_out_and_another_in_with_the_same_checksum) {
    NEEDS(can_attach(), "slirp4netns or /dev/net/tun is missing");
    write(project / "bulk.py", R"PY(
import hashlib, socket
block = bytes(range(256)) * 4096
peer = socket.create_connection(('198.51.100.1', 8002))
peer.sendall(b'%16d' % 0)
digest = hashlib.sha256()
for i in range(1024):
    part = i.to_bytes(8, 'big') + block[8:]
    digest.update(part)
    peer.sendall(part)
peer.shutdown(socket.SHUT_WR)  # half of it is closed, and the answer comes by the other half
print('out', peer.recv(32, socket.MSG_WAITALL) == digest.digest())
peer = socket.create_connection(('198.51.100.1', 8002))
peer.sendall(b'%16d' % 1024)
digest = hashlib.sha256()
left = 1 << 30
while left > 0:
    part = peer.recv(min(left, 1 << 20))
    digest.update(part)
    left -= len(part)
print('in', peer.recv(32, socket.MSG_WAITALL) == digest.digest())
)PY");
    const Result result = on_host("$SANDBOX -q -p $PROFILE python3 bulk.py");
    BOOST_TEST(result.out == "out True\nin True\n", result);
}

BOOST_AUTO_TEST_CASE(five_hundred_connections_at_once_and_one_that_is_kept_alive_work_both_ways) {
    NEEDS(can_attach(), "slirp4netns or /dev/net/tun is missing");
    write(project / "many.py", R"PY(
import asyncio, http.client, sys
host, port = sys.argv[1], int(sys.argv[2])
async def ask():
    reader, writer = await asyncio.open_connection(host, port)
    writer.write(b'GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n')
    answer = await reader.read()
    writer.close()
    return answer.startswith(b'HTTP/1.1 200') and answer.endswith(b'hello\n')
async def all():
    return await asyncio.gather(*(ask() for _ in range(500)))
print(sum(asyncio.run(all())))
kept = http.client.HTTPConnection(host, port)
whole = 0
for _ in range(200):
    kept.request('GET', '/3000')
    whole += len(kept.getresponse().read()) == 3000
print(whole)
)PY");
    write(project / "serve.py", std::string(kServers));
    const Result out = on_host("$SANDBOX -q -p $PROFILE python3 many.py 198.51.100.1 8000");
    BOOST_TEST(out.out == "500\n200\n", out);
    const Result in = on_host(
        "sed -e 's/198.51.100.1/0.0.0.0/; s/2001:db8::1/::1/' serve.py >inside.py; "
        "$SANDBOX -q -p $PROFILE --publish 18080:8000 python3 inside.py >up & sandbox=$!; "
        "until grep -q ready up; do sleep 0.05; done; python3 many.py 127.0.0.1 18080; kill $sandbox; wait $sandbox");
    BOOST_TEST(in.out == "500\n200\n", in);
}

BOOST_AUTO_TEST_CASE(abstract_sockets_of_the_host_are_out_of_reach) {
    NEEDS(can_attach(), "slirp4netns or /dev/net/tun is missing");
    write(project / "listen.py", "import socket\ns = socket.socket(socket.AF_UNIX)\ns.bind('\\0sandbox-test')\n"
                                 "s.listen()\nprint('up', flush=True)\nwhile True:\n    s.accept()[0].close()\n");
    const Words attempt = {"python3", "-c",
                           "import socket; socket.socket(socket.AF_UNIX).connect('\\0sandbox-test'); print('reached')"};
    Process server({"python3", "listen.py"}, here());
    BOOST_REQUIRE(server.wait_for("up\n"));
    const Result attack = inside("default", attempt);
    BOOST_TEST(attack.out.empty(), attack);
    BOOST_TEST(attack.said("ConnectionRefusedError"), attack);
    Words control = {"-q", "--net", "host", "--"};
    control.insert(control.end(), attempt.begin(), attempt.end());
    BOOST_TEST(sandbox(control).out == "reached\n");
}

BOOST_AUTO_TEST_CASE(the_end_of_the_published_ports_is_told) {
    NEEDS(can_attach() && started_by_root(), "slirp4netns or /dev/net/tun is missing, or root did not start this");
    Options options = here();
    options.keep_input_open = true;
    Process running({sandbox_program(), "-q", "--publish", "18095:95", "--", "sh", "-c", "echo up; read line; exit 7"},
                    options);
    BOOST_REQUIRE(running.wait_for("up\n"));
    Options as_root;
    as_root.as = &root_user();
    static_cast<void>(run({"pkill", "-KILL", "-P", std::to_string(running.pid()), "sandbox-ports"}, as_root));
    ::usleep(200'000);
    running.write("\n");
    running.close_input();
    const Result result = running.finish();
    BOOST_TEST(result.status == 7, result);
    BOOST_TEST(result.said("the published ports: their process was killed by signal 9"), result);
}

BOOST_AUTO_TEST_CASE(the_hosts_loopback_cannot_be_reached_unless_it_is_opened) {
    NEEDS(can_attach(), "slirp4netns or /dev/net/tun is missing");
    const auto probes = [](const std::string& patience) {
        return " sh -c 'for a in 127.0.0.1 10.0.2.2 10.0.2.3; do curl -s -m " + patience +
               " http://$a:8001/ || echo closed; done'";
    };
    for (const std::string backend : {"slirp4netns", "pasta"}) {
        NEEDS(installed(backend), backend + " is not installed");
        const Result attack = on_host("$SANDBOX -q -p $PROFILE --net " + backend + probes("3"));
        BOOST_TEST(attack.out == "closed\nclosed\nclosed\n", backend << attack);
        const Result control = on_host("$SANDBOX -q -p $PROFILE --host-loopback --net " + backend + probes("30"));
        BOOST_TEST(control.printed("hello"), backend << control);
    }
    const Result outside = on_host("curl -s -m 30 http://127.0.0.1:8001/");
    BOOST_TEST(outside.out == "hello\n", outside);
}

BOOST_AUTO_TEST_CASE(no_port_leads_in_or_out_that_is_not_published) {
    NEEDS(can_attach(), "slirp4netns or /dev/net/tun is missing");
    // Each side listens on all addresses, and tries the other at its own loopback.
    write(project / "listen.py", R"PY(
import socket, sys
server = socket.create_server(('', int(sys.argv[1])))
datagrams = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
datagrams.bind(('', int(sys.argv[1])))
datagrams.settimeout(0.5)
print('up', flush=True)
sys.stdin.readline()
try:
    print('datagram', datagrams.recv(99))
except TimeoutError:
    print('nothing')
)PY");
    write(project / "try.py", R"PY(
import socket, sys
socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'x', ('127.0.0.1', int(sys.argv[1])))
try:
    socket.create_connection(('127.0.0.1', int(sys.argv[1])), 2)
    print('reached')
except OSError:
    print('refused')
)PY");
    for (const std::string backend : {"slirp4netns", "pasta"}) {
        NEEDS(installed(backend), backend + " is not installed");
        const std::string start = "$SANDBOX -q -p $PROFILE --net " + backend;
        const std::string in = "mkfifo line; exec 3<>line; " + start +
                               " %PUBLISH% python3 listen.py 18077 <line >up & "
                               "for i in $(seq 400); do grep -q up up && break; sleep 0.05; done; "
                               "python3 try.py 18077; "
                               "echo >&3; wait $!; tail -n 1 up; exec 3>&-; rm line up; ";
        const auto published = [&](const std::string& words) {
            std::string text = in;
            return text.replace(text.find("%PUBLISH%"), 9, words);
        };
        const Result attack = on_host(published("") + start + " python3 try.py 8001");
        BOOST_TEST(attack.out == "refused\nnothing\nrefused\n", backend << attack);
        const Result control =
            on_host(published("--publish 18077:18077 --publish 18077:18077/udp") + "python3 try.py 8001");
        BOOST_TEST(control.out == "reached\ndatagram b'x'\nreached\n", backend << control);
    }
}

BOOST_AUTO_TEST_CASE(slirp4netns_is_locked_in) {
    NEEDS(can_attach() && started_by_root(), "slirp4netns or /dev/net/tun is missing, or root did not start this");
    Process running({sandbox_program(), "-q", "--", "sh", "-c", "echo up; sleep 100"}, here());
    BOOST_REQUIRE(running.wait_for("up\n"));
    Options as_root;
    as_root.as = &root_user();
    // Of the host's files it has those that name resolvers, and none of the home.
    const Result seen = run({"sh", "-c",
                             "p=$(pgrep -P " + std::to_string(running.pid()) +
                                 " -x slirp4netns); ls /proc/$p/root; ls /proc/$p/root/home 2>&1; "
                                 "grep -E '^(Seccomp|CapEff):' /proc/$p/status | tr -s '\\t ' ' '"},
                            as_root);
    BOOST_TEST(!seen.printed("home\n"), seen);
    BOOST_TEST(seen.printed("etc\n"), seen);
    BOOST_TEST(seen.printed("No such file"), seen);
    BOOST_TEST(seen.printed("Seccomp: 2\n"), seen);
    running.signal(SIGTERM);
    BOOST_TEST(running.finish().status == 143);
}

BOOST_AUTO_TEST_CASE(cmd_cannot_change_its_network) {
    NEEDS(can_attach(), "slirp4netns or /dev/net/tun is missing");
    const std::string attempts = "PATH=$PATH:/usr/sbin:/sbin; ip route del default 2>/dev/null && echo route; "
                                 "ip link set tap0 down 2>/dev/null && echo link; "
                                 "python3 -c 'import socket; socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 768)' "
                                 "2>/dev/null && echo packet; true";
    const Result attack = inside("default", {"sh", "-c", attempts});
    BOOST_TEST(attack.out.empty(), attack);
    const Result control = sandbox({"-q", "--cap-add", "net_admin,net_raw", "--", "sh", "-c", attempts});
    BOOST_TEST(control.out == "route\nlink\npacket\n", control);
}

BOOST_AUTO_TEST_CASE(the_helper_is_out_of_cmds_sight) {
    NEEDS(can_attach(), "slirp4netns or /dev/net/tun is missing");
    const Result attack = inside("default", {"sh", "-c", "cat /proc/[0-9]*/comm"});
    BOOST_TEST(!attack.printed("slirp4netns"), attack);
    Process running({sandbox_program(), "-q", "--", "sh", "-c", "echo up; sleep 100"}, here());
    BOOST_REQUIRE(running.wait_for("up\n"));
    BOOST_TEST(run({"pgrep", "-c", "slirp4netns"}).status == 0);
    running.signal(SIGTERM);
    BOOST_TEST(running.finish().status == 143);
}

BOOST_AUTO_TEST_CASE(nothing_is_left_when_the_supervisor_is_killed) {
    NEEDS(can_attach(), "slirp4netns or /dev/net/tun is missing");
    for (const std::string backend : {"slirp4netns", "pasta"}) {
        NEEDS(installed(backend), backend + " is not installed");
        const Belongings before = belongings(*this);
        {
            Process running({sandbox_program(), "-q", "--net", backend, "--publish", "0:80", "--", "sh", "-c",
                             "echo up; sleep 100"},
                            here());
            BOOST_REQUIRE(running.wait_for("up\n"));
            running.signal(SIGKILL);
            static_cast<void>(running.finish());
        }
        // What another test left dying may have been there before, and may be gone now.
        std::vector<std::string> more;
        for (int i = 0; i == 0 || (!more.empty() && i < 500); ++i) {
            ::usleep(10'000);
            more.clear();
            std::ranges::set_difference(belongings(*this).processes, before.processes, std::back_inserter(more));
        }
        BOOST_TEST(more.empty(), backend << ": " << (more.empty() ? "" : more.front()));
    }
}

BOOST_AUTO_TEST_CASE(a_network_that_ends_early_is_told) {
    NEEDS(can_attach() && started_by_root(), "slirp4netns or /dev/net/tun is missing, or root did not start this");
    Process running({sandbox_program(), "-q", "--", "sh", "-c", "echo up; read line; exit 7"}, [this] {
        Options options = here();
        options.keep_input_open = true;
        return options;
    }());
    BOOST_REQUIRE(running.wait_for("up\n"));
    Options as_root;
    as_root.as = &root_user();
    static_cast<void>(run({"pkill", "-KILL", "-P", std::to_string(running.pid()), "slirp4netns"}, as_root));
    BOOST_TEST(running.so_far().signaled == false);
    ::usleep(200'000);
    running.write("\n");
    running.close_input();
    const Result result = running.finish();
    BOOST_TEST(result.status == 7, result);
    BOOST_TEST(result.said("the network ended before CMD did"), result);
    BOOST_TEST(result.said("killed by signal 9"), result);
}

BOOST_AUTO_TEST_CASE(a_published_server_is_reached_from_the_host) {
    NEEDS(can_attach(), "slirp4netns or /dev/net/tun is missing");
    write(project / "servers.py", std::string(kServers));
    const Result result = on_host(
        "cat >serve.py <<'E'\nimport http.server, socketserver, socket\n"
        "class S(socketserver.ThreadingTCPServer):\n    request_queue_size = 1024\n"
        "class H(http.server.SimpleHTTPRequestHandler):\n    def log_message(self, *w): pass\n"
        "s = S(('', 80), H)\nprint('up', flush=True)\ns.serve_forever()\nE\n"
        "$SANDBOX -q -p $PROFILE --publish 18080:80 --publish '[::1]:18080:80' python3 serve.py >up & sandbox=$!; "
        "until grep -q up up; do sleep 0.05; done; "
        "curl -sS -m 300 -o /dev/null -w '%{http_code}\\n' http://127.0.0.1:18080/; "
        "curl -sS -m 300 -o /dev/null -w '%{http_code}\\n' 'http://[::1]:18080/'; "
        "curl -sS -m 2 -o /dev/null http://198.51.100.1:18080/ 2>/dev/null || echo 'not on other addresses'; "
        "seq 500 | xargs -P 100 -I N curl -sS -m 300 -o /dev/null -w '%{http_code}\\n' http://127.0.0.1:18080/ | sort "
        "| "
        "uniq -c | tr -s ' '; kill $sandbox; wait $sandbox");
    BOOST_TEST(result.out == "200\n200\nnot on other addresses\n 500 200\n", result);
}

BOOST_AUTO_TEST_CASE(published_ports_pass_half_closed_connections_and_datagrams) {
    NEEDS(can_attach(), "slirp4netns or /dev/net/tun is missing");
    write(project / "serve.py", R"PY(
import socket, threading
def count():
    server = socket.create_server(('127.0.0.1', 90))
    while True:
        peer, _ = server.accept()
        data = b''
        while (part := peer.recv(65536)):
            data += part
        peer.sendall(b'%d' % len(data))
        peer.close()
threading.Thread(target=count, daemon=True).start()
def shout():
    server = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
    server.bind(('::1', 92))
    while True:
        data, peer = server.recvfrom(65536)
        server.sendto(data.upper() + b'6', peer)
threading.Thread(target=shout, daemon=True).start()
server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
server.bind(('', 91))
print('up', flush=True)
while True:
    data, peer = server.recvfrom(65536)
    server.sendto(data.upper(), peer)
)PY");
    write(project / "ask.py", R"PY(
import socket
peer = socket.create_connection(('127.0.0.1', 19090), 10)
peer.sendall(b'x' * 5000000)
peer.shutdown(socket.SHUT_WR)
print(peer.recv(99).decode())
for word, port in ((b'one', 19091), (b'two', 19091), (b'three', 19092)):
    peer = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    peer.settimeout(10)
    peer.sendto(word, ('127.0.0.1', port))
    print(peer.recv(99).decode())
)PY");
    Process server({sandbox_program(), "-q", "--publish", "19090:90", "--publish", "19091:91/udp", "--publish",
                    "19092:92/udp", "python3", "serve.py"},
                   here());
    BOOST_REQUIRE(server.wait_for("up\n"));
    const Result asked = outside({"python3", (project / "ask.py").string()});
    BOOST_TEST(asked.out == "5000000\nONE\nTWO\nTHREE6\n", asked);
    server.signal(SIGTERM);
    BOOST_TEST(server.finish().status == 143);
}

BOOST_AUTO_TEST_CASE(a_port_that_cannot_be_had_is_an_error_before_cmd_starts) {
    NEEDS(can_attach(), "slirp4netns or /dev/net/tun is missing");
    const Result taken = on_host("$SANDBOX -q -p $PROFILE --publish 8001:80 echo ran");
    BOOST_TEST(taken.status == 125, taken);
    BOOST_TEST(taken.out.empty(), taken);
    BOOST_TEST(taken.said("--publish 8001:80: cannot listen on port 8001 of 127.0.0.1: Address already in use"), taken);
}

BOOST_AUTO_TEST_CASE(more_ports_than_descriptors_are_an_error_before_cmd_starts) {
    NEEDS(can_attach(), "slirp4netns or /dev/net/tun is missing");
    NEEDS(!is_sanitized(), "UBSan looks at memory through a pipe, and no descriptor is left for it");
    const Result many = on_host("ulimit -n 64; $SANDBOX -q -p $PROFILE --publish 0:80-200 echo ran");
    BOOST_TEST(many.status == 125, many);
    BOOST_TEST(many.out.empty(), many);
    BOOST_TEST(many.said("ulimit -n"), many);
}

BOOST_AUTO_TEST_CASE(a_free_port_is_chosen_and_told) {
    NEEDS(can_attach(), "slirp4netns or /dev/net/tun is missing");
    const Result chosen = sandbox({"-q", "--publish", "0:80", "--status-fd", "1", "--", "echo", "ran"});
    BOOST_TEST(chosen.printed("\"published\":[{\"address\":\"127.0.0.1\",\"protocol\":\"tcp\",\"host_port\":"), chosen);
    BOOST_TEST(chosen.printed("ran\n"), chosen);
    BOOST_TEST(chosen.said("leads to port 80, tcp"), chosen);
}

BOOST_AUTO_TEST_CASE(a_privileged_port_is_for_whoever_may_open_it) {
    NEEDS(can_attach(), "slirp4netns or /dev/net/tun is missing");
    const std::string words = "$SANDBOX -q -p $PROFILE --publish 81:80 echo ran";
    const Result with = on_host(words); // which has all capabilities over the namespaces of that host
    BOOST_TEST(with.out == "ran\n", with);
    const Result without = on_host("setpriv --inh-caps=-all --ambient-caps=-all " + words);
    BOOST_TEST(without.status == 125, without);
    BOOST_TEST(without.said("cannot publish on port 81 of the host"), without);
}

BOOST_AUTO_TEST_CASE(the_chosen_resolver_and_added_hosts_stand_in_resolv_conf_and_hosts) {
    NEEDS(can_attach(), "slirp4netns or /dev/net/tun is missing");
    const Result shown = sandbox({"-q", "--dns", "192.0.2.53", "--add-host", "db.example:192.0.2.7", "--", "sh", "-c",
                                  "cat /etc/resolv.conf; getent hosts db.example"});
    BOOST_TEST(shown.printed("nameserver 192.0.2.53"), shown);
    BOOST_TEST(!shown.printed("10.0.2.3"), shown);
    BOOST_TEST(shown.printed("192.0.2.7"), shown);
}

BOOST_AUTO_TEST_SUITE_END()
