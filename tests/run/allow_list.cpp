// A network that is held to a list: what it lets through, what it refuses and how soon, and that CMD cannot change it.
// The host of these tests is a network namespace that each makes for itself; behind it lies another one, with servers
// and a resolver of our own, and no way out.
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <chrono>
#include <filesystem>
#include <string>

#include "tests/support/count.hpp"
#include "tests/support/world.hpp"

using namespace sandbox::test;

namespace {

/// The world behind the host: servers at 198.51.100.1 and .2, at 2001:db8::1, at addresses that are private or a
/// cloud's, and a resolver at 198.51.100.53 that writes down every question.
constexpr const char* kOutside = R"PY(
import socket, struct, sys, threading
ZONE = {'allowed.test': ['198.51.100.1', '2001:db8::1'], 'other.test': ['198.51.100.2'], 'host.test': ['203.0.113.1'],
        'rebind.test': ['127.0.0.1'], 'null.test': ['0.0.0.0'], 'near.test': ['10.9.9.9'], 'meta.test': ['169.254.169.254'],
        'below.wild.test': ['198.51.100.2'], 'wild.test': ['198.51.100.2'], 'long.test': ['198.51.100.1'],
        'alias.test': ['198.51.100.1']}
def in_labels(name):
    return b''.join(bytes([len(label)]) + label for label in name.encode().split(b'.')) + b'\0'
def answer(question):
    labels, at = [], 12
    while question[at]:
        labels.append(question[at + 1:at + 1 + question[at]])
        at += 1 + question[at]
    kind = struct.unpack('>H', question[at + 1:at + 3])[0]
    name = b'.'.join(labels).decode('latin1').lower()
    print('asked', name, flush=True)
    records = b''
    count = 0
    owner = b'\xc0\x0c'
    if name == 'alias.test':
        target = in_labels('far.evil.test')
        records += owner + struct.pack('>HHIH', 5, 1, 3600, len(target)) + target
        owner, count = target, 1
    for address in ZONE.get(name, []):
        family, wanted = (socket.AF_INET6, 28) if ':' in address else (socket.AF_INET, 1)
        if kind == wanted:
            data = socket.inet_pton(family, address)
            records += owner + struct.pack('>HHIH', kind, 1, 3600, len(data)) + data
            count += 1
    code = 0x8180 if name in ZONE else 0x8183
    return question[:2] + struct.pack('>HHHHH', code, 1, count, 0, 0) + question[12:at + 5] + records
def udp_names(address):
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.bind((address, 53))
    while True:
        data, peer = s.recvfrom(4096)
        reply = answer(data)
        if b'long' in data:  # cut off: the rest is asked for over TCP
            reply = reply[:2] + b'\x83\x80\0\1\0\0\0\0\0\0' + data[12:]
        s.sendto(reply, peer)
def tcp(address, port, reply):
    s = socket.create_server((address, port), family=socket.AF_INET6 if ':' in address else socket.AF_INET)
    while True:
        peer, _ = s.accept()
        peer.settimeout(5)
        try:
            data = peer.recv(4096)
            peer.sendall(reply(data))
        except OSError:
            pass
        peer.close()
def udp(address, port):
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.bind((address, port))
    while True:
        data, peer = s.recvfrom(65536)
        s.sendto(data, peer)
def length_and_answer(data):
    reply = answer(data[2:])
    return struct.pack('>H', len(reply)) + reply
http = lambda data: b'HTTP/1.0 200 OK\r\n\r\nhello\n'
work = [(udp_names, a) for a in (('198.51.100.53',), ('198.51.100.2',))]
work += [(tcp, (a, 53, length_and_answer)) for a in ('198.51.100.53', '198.51.100.2')]
work += [(tcp, (a, p, http)) for a in ('198.51.100.1', '198.51.100.2', '2001:db8::1', '2001:db8::2', '10.9.9.9', '169.254.169.254')
         for p in (80, 443, 853)]
work += [(udp, (a, p)) for a in ('198.51.100.1', '198.51.100.2') for p in (443, 9000)]
for function, words in work:
    threading.Thread(target=function, args=words, daemon=True).start()
print('ready', flush=True)
threading.Event().wait()
)PY";

/// Tries what each word says and prints how it went: the answer, or the kernel's word. "silence" is what no refusal may
/// be.
constexpr const char* kProbe = R"PY(
import errno, socket, struct, sys
def question(name):
    return b'\x12\x34\x01\0\0\1\0\0\0\0\0\0' + b''.join(
        bytes([len(l)]) + l for l in name.encode('latin1').split(b'.') if l) + b'\0\0\1\0\1'
def code(reply):
    return {0: 'answer' if reply[7] else 'empty', 3: 'no-such-name'}.get(reply[3] & 15, 'refused')
def tcp(address, port):
    with socket.create_connection((address, int(port)), 20) as s:
        s.sendall(b'GET / HTTP/1.0\r\n\r\n')
        return 'open' if s.recv(99) else 'closed'
def udp(address, port):
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.settimeout(20)
    s.connect((address, int(port)))
    s.send(b'x')
    s.recv(99)
    return 'open'
def dns(address, name):
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.settimeout(20)
    s.connect((address, 53))
    s.send(question(name))
    return code(s.recv(999))
def dnstcp(address, name):
    with socket.create_connection((address, 53), 20) as s:
        q = question(name)
        s.sendall(struct.pack('>H', len(q)) + q)
        reply = b''
        while len(reply) < 14:
            part = s.recv(999)
            if not part:
                raise ConnectionResetError(errno.ECONNRESET, 'closed')
            reply += part
        return code(reply[2:])
def name(host):
    return socket.getaddrinfo(host, 80, socket.AF_INET, socket.SOCK_STREAM)[0][4][0]
def raw(family):
    socket.socket(getattr(socket, family), socket.SOCK_RAW, socket.IPPROTO_ICMP if family == 'AF_INET' else 58)
    return 'open'
def packet():
    socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 768)
    return 'open'
def udplite(address):
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM, 136)
    s.connect((address, 9000))
    s.send(b'x')
    return 'open'
def mark(number):
    socket.socket(socket.AF_INET, socket.SOCK_DGRAM).setsockopt(socket.SOL_SOCKET, 36, int(number))
    return 'open'
for word in sys.argv[1:]:
    function, *rest = word.split(',')
    try:
        result = globals()[function](*rest)
    except socket.gaierror:
        result = 'no-address'
    except TimeoutError:
        result = 'silence'
    except OSError as error:
        result = errno.errorcode.get(error.errno, str(error))
    print(word, result, flush=True)
)PY";

const std::string kNoList = "nftables, dnsmasq, slirp4netns, /dev/net/tun or the kernel's tables for inet are missing";

struct AllowWorld : World {
    /// Whether this machine can hold a sandbox's network to a list.
    static bool can_hold() {
        if (!installed("slirp4netns") || !installed("nft") || !installed("dnsmasq") ||
            ::access("/dev/net/tun", R_OK | W_OK) != 0) {
            return false;
        }
        return run({"unshare", "--user", "--map-root-user", "--net", "sh", "-c",
                    "PATH=$PATH:/usr/sbin:/sbin; nft 'add table inet t; add chain inet t c { type filter hook output "
                    "priority 0; }; add rule inet t c ct state established reject with icmpx admin-prohibited'"})
                   .status == 0;
    }

    /// `script` on a host of its own, as the user: $SANDBOX runs the program on a network of its own that asks the
    /// resolver outside, with the profile `lone`; $PROBE are the words that start the probe.
    Result on_host(const std::string& script) const {
        write(home / "outside.py", kOutside);
        write(project / "probe.py", kProbe);
        profile("lone", "extends = \"default\"\n[ids]\nmap = \"self\"\ngroups = \"keep\"\n");
        const std::string log = (home / "outside.log").string();
        const std::string setup =
            "set -e; PATH=$PATH:/usr/sbin:/sbin; ip link set lo up; rm -f " + (home / "outside.pid").string() + " " +
            log +
            "; "
            "unshare --net sh -c 'ip link set lo up; echo $$ >" +
            (home / "outside.pid").string() +
            "; until ip link set out1 up 2>/dev/null; do sleep 0.02; done; "
            "ip address add 203.0.113.254/24 dev out1; ip address add 2001:db8:1::254/64 dev out1 nodad; "
            "for a in 198.51.100.1 198.51.100.2 198.51.100.53 10.9.9.9 169.254.169.254; do ip address add $a/32 dev "
            "lo; "
            "done; for a in 2001:db8::1 2001:db8::2; do ip address add $a/128 dev lo nodad; done; "
            "exec python3 " +
            (home / "outside.py").string() + "' >" + log +
            " 2>&1 & outside=$!; "
            "trap 'kill $outside' EXIT; until [ -s " +
            (home / "outside.pid").string() +
            " ]; do sleep 0.02; done; "
            "ip link add out0 type veth peer name out1; ip link set out1 netns $(cat " +
            (home / "outside.pid").string() +
            "); "
            "ip address add 203.0.113.1/24 dev out0; ip address add 2001:db8:1::1/64 dev out0 nodad; "
            "ip link set out0 up; ip route add default via 203.0.113.254; ip route add default via 2001:db8:1::254 dev "
            "out0 onlink; "
            "until grep -q ready " +
            log +
            "; do sleep 0.05; done; "
            "python3 -m http.server --bind 127.0.0.1 8001 >/dev/null 2>&1 & own=$!; trap 'kill $outside $own' EXIT; "
            "until python3 -c \"import socket; socket.create_connection(('127.0.0.1', 8001))\" 2>/dev/null; "
            "do sleep 0.05; done; "
            "set +e; ";
        Options options = here();
        options.watchdog = std::chrono::minutes(10);
        options.environment["SANDBOX"] = sandbox_program() + " -p lone --dns 198.51.100.53";
        options.environment["PROBE"] = "python3 probe.py";
        options.environment["LOG"] = log;
        return run({"unshare", "--user", "--map-current-user", "--keep-caps", "--net", "sh", "-c", setup + script},
                   options);
    }

    /// The probe's words in a sandbox that is held to `list` (options), and in one that is not.
    Result held(const std::string& list, const std::string& words) const {
        return on_host("$SANDBOX -q " + list + " $PROBE " + words);
    }
    Result free(const std::string& words) const { return on_host("$SANDBOX -q $PROBE " + words); }
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(allow_list, AllowWorld)

BOOST_AUTO_TEST_CASE(an_allowed_name_is_reached_by_its_name_and_its_addresses) {
    NEEDS(can_hold(), kNoList);
    const Result reached =
        held("--net-allow allowed.test", "name,allowed.test tcp,allowed.test,80 tcp,198.51.100.1,443 "
                                         "udp,198.51.100.1,9000 name,ALLOWED.test. "
                                         "tcp,2001:db8::1,80");
    BOOST_TEST(reached.out == "name,allowed.test 198.51.100.1\ntcp,allowed.test,80 open\ntcp,198.51.100.1,443 open\n"
                              "udp,198.51.100.1,9000 open\nname,ALLOWED.test. 198.51.100.1\n"
                              "tcp,2001:db8::1,80 open\n",
               reached);
}

BOOST_AUTO_TEST_CASE(the_resolver_answers_over_tcp_too_what_is_too_long_for_udp) {
    NEEDS(can_hold(), kNoList);
    const Result result =
        held("--net-allow long.test", "dnstcp,127.0.0.53,other.test dnstcp,127.0.0.53,long.test tcp,198.51.100.1,80 "
                                      "name,long.test tcp,long.test,80");
    BOOST_TEST(result.out == "dnstcp,127.0.0.53,other.test no-such-name\ndnstcp,127.0.0.53,long.test answer\n"
                             "tcp,198.51.100.1,80 open\nname,long.test 198.51.100.1\ntcp,long.test,80 open\n",
               result);
}

BOOST_AUTO_TEST_CASE(an_address_is_open_only_after_its_name_was_asked_for) {
    NEEDS(can_hold(), kNoList);
    const Result attack = held("--net-allow allowed.test", "tcp,198.51.100.1,80 name,allowed.test tcp,198.51.100.1,80");
    BOOST_TEST(attack.out == "tcp,198.51.100.1,80 ECONNREFUSED\nname,allowed.test 198.51.100.1\n"
                             "tcp,198.51.100.1,80 open\n",
               attack);
}

BOOST_AUTO_TEST_CASE(everything_else_is_refused_at_once) {
    NEEDS(can_hold(), kNoList);
    const std::string words = "tcp,198.51.100.2,80 tcp,198.51.100.2,443 udp,198.51.100.2,9000 udp,198.51.100.2,443 "
                              "tcp,2001:db8::2,443 name,other.test";
    const Result attack = held("--net-allow allowed.test", words);
    BOOST_TEST(attack.out == "tcp,198.51.100.2,80 ECONNREFUSED\ntcp,198.51.100.2,443 ECONNREFUSED\n"
                             "udp,198.51.100.2,9000 EPERM\nudp,198.51.100.2,443 EPERM\n"
                             "tcp,2001:db8::2,443 ECONNREFUSED\nname,other.test no-address\n",
               attack);
    const Result control = free(words);
    BOOST_TEST(control.out == "tcp,198.51.100.2,80 open\ntcp,198.51.100.2,443 open\nudp,198.51.100.2,9000 open\n"
                              "udp,198.51.100.2,443 open\ntcp,2001:db8::2,443 open\nname,other.test 198.51.100.2\n",
               control);
}

BOOST_AUTO_TEST_CASE(other_resolvers_are_closed_over_udp_tcp_tls_and_https) {
    NEEDS(can_hold(), kNoList);
    const std::string words =
        "dns,198.51.100.53,other.test dns,198.51.100.2,other.test dnstcp,198.51.100.53,other.test "
        "dnstcp,198.51.100.2,other.test tcp,198.51.100.2,853 tcp,198.51.100.1,853 "
        "tcp,198.51.100.2,443";
    // The host of the list is open on all ports but those of resolvers.
    const Result attack = held("--net-allow allowed.test", "name,allowed.test " + words);
    BOOST_TEST(attack.out == "name,allowed.test 198.51.100.1\ndns,198.51.100.53,other.test EPERM\n"
                             "dns,198.51.100.2,other.test EPERM\ndnstcp,198.51.100.53,other.test ECONNREFUSED\n"
                             "dnstcp,198.51.100.2,other.test ECONNREFUSED\ntcp,198.51.100.2,853 ECONNREFUSED\n"
                             "tcp,198.51.100.1,853 ECONNREFUSED\ntcp,198.51.100.2,443 ECONNREFUSED\n",
               attack);
    const Result control = free(words);
    BOOST_TEST(control.out == "dns,198.51.100.53,other.test answer\ndns,198.51.100.2,other.test answer\n"
                              "dnstcp,198.51.100.53,other.test answer\ndnstcp,198.51.100.2,other.test answer\n"
                              "tcp,198.51.100.2,853 open\ntcp,198.51.100.1,853 open\ntcp,198.51.100.2,443 open\n",
               control);
    const Result near = held("--net-allow 10.0.0.0/8", "tcp,10.9.9.9,80 tcp,10.9.9.9,853 dns,10.0.2.3,other.test");
    BOOST_TEST(near.out == "tcp,10.9.9.9,80 open\ntcp,10.9.9.9,853 ECONNREFUSED\ndns,10.0.2.3,other.test EPERM\n",
               near);
    const Result named = held("--net-allow 198.51.100.2:53 --net-allow 198.51.100.2:853",
                              "dns,198.51.100.2,other.test dnstcp,198.51.100.2,other.test tcp,198.51.100.2,853 "
                              "dns,198.51.100.53,other.test");
    BOOST_TEST(named.out == "dns,198.51.100.2,other.test answer\ndnstcp,198.51.100.2,other.test answer\n"
                            "tcp,198.51.100.2,853 open\ndns,198.51.100.53,other.test EPERM\n",
               named);
}

BOOST_AUTO_TEST_CASE(no_question_about_another_name_leaves_the_sandbox) {
    NEEDS(can_hold(), kNoList);
    const std::string words =
        "dns,RESOLVER,allowed.test dns,RESOLVER,secret.evil.test dns,RESOLVER,x.allowed.test "
        "dns,RESOLVER,evilallowed.test dns,RESOLVER,allowed.test.evil.test dns,RESOLVER,test "
        "dnstcp,RESOLVER,secret2.evil.test dns,RESOLVER,wild.test dns,RESOLVER,below.wild.test "
        "dns,RESOLVER,a_b.evil.test dns,RESOLVER,1.100.51.198.in-addr.arpa dns,RESOLVER,allowed\xff.test";
    const auto to = [&](const std::string& resolver) {
        std::string text = words;
        for (std::size_t at = text.find("RESOLVER"); at != std::string::npos; at = text.find("RESOLVER")) {
            text.replace(at, 8, resolver);
        }
        return text;
    };
    const Result attack = on_host("$SANDBOX -q --net-allow allowed.test --net-allow '*.wild.test' $PROBE " +
                                  to("127.0.0.53") + " >/dev/null; grep asked $LOG");
    BOOST_TEST(attack.out == "asked allowed.test\nasked below.wild.test\n", attack);
    const Result control = on_host("$SANDBOX -q $PROBE " + to("198.51.100.53") + " >/dev/null; grep asked $LOG");
    BOOST_TEST(control.printed("asked secret.evil.test\n"), control);
    BOOST_TEST(control.printed("asked x.allowed.test\n"), control);
    BOOST_TEST(control.printed("asked secret2.evil.test\n"), control);
    BOOST_TEST(control.printed("asked wild.test\n"), control);
}

BOOST_AUTO_TEST_CASE(an_allowed_name_opens_nothing_near_this_machine) {
    NEEDS(can_hold(), kNoList);
    const std::string list = "--net-allow near.test --net-allow meta.test --net-allow host.test";
    const Result attack = held(list, "tcp,near.test,80 tcp,meta.test,80 tcp,host.test,80");
    BOOST_TEST(attack.out == "tcp,near.test,80 ECONNREFUSED\ntcp,meta.test,80 ECONNREFUSED\n"
                             "tcp,host.test,80 ECONNREFUSED\n",
               attack);
    const Result control = free("tcp,near.test,80 tcp,meta.test,80");
    BOOST_TEST(control.out == "tcp,near.test,80 open\ntcp,meta.test,80 open\n", control);
    const Result named = held(list + " --net-allow 10.9.9.9:80", "tcp,near.test,80 tcp,10.9.9.9,443 tcp,meta.test,80");
    BOOST_TEST(named.out == "tcp,near.test,80 open\ntcp,10.9.9.9,443 ECONNREFUSED\ntcp,meta.test,80 ECONNREFUSED\n",
               named);
}

BOOST_AUTO_TEST_CASE(an_allowed_name_never_becomes_this_machine) {
    NEEDS(can_hold(), kNoList);
    const Result attack = on_host("$SANDBOX -q --host-loopback --net-allow rebind.test --net-allow null.test $PROBE "
                                  "name,rebind.test name,null.test tcp,10.0.2.2,8001");
    BOOST_TEST(attack.out == "name,rebind.test no-address\nname,null.test no-address\ntcp,10.0.2.2,8001 ECONNREFUSED\n",
               attack);
    const Result told = on_host("$SANDBOX --report always --net-allow rebind.test $PROBE name,rebind.test");
    BOOST_TEST(told.said("'rebind.test', asked for"), told);
    BOOST_TEST(told.said("leads to a loopback address"), told);
    const Result control = on_host("$SANDBOX -q --host-loopback $PROBE name,rebind.test tcp,10.0.2.2,8001; "
                                   "$SANDBOX -q --host-loopback --net-allow 10.0.2.2:8001 $PROBE tcp,10.0.2.2,8001");
    BOOST_TEST(control.out == "name,rebind.test 127.0.0.1\ntcp,10.0.2.2,8001 open\ntcp,10.0.2.2,8001 open\n", control);
}

BOOST_AUTO_TEST_CASE(a_port_holds_for_tcp_and_udp_and_for_no_other_port) {
    NEEDS(can_hold(), kNoList);
    const Result result = held("--net-allow allowed.test:443 --net-allow 198.51.100.2:8000-9000",
                               "tcp,allowed.test,443 udp,198.51.100.1,443 tcp,198.51.100.1,80 udp,198.51.100.1,9000 "
                               "udp,198.51.100.2,9000 udp,198.51.100.2,443");
    BOOST_TEST(result.out == "tcp,allowed.test,443 open\nudp,198.51.100.1,443 open\n"
                             "tcp,198.51.100.1,80 ECONNREFUSED\nudp,198.51.100.1,9000 EPERM\n"
                             "udp,198.51.100.2,9000 open\nudp,198.51.100.2,443 EPERM\n",
               result);
}

BOOST_AUTO_TEST_CASE(raw_and_packet_sockets_other_protocols_and_marks_do_not_pass_it_by) {
    NEEDS(can_hold(), kNoList);
    const std::string words = "raw,AF_INET raw,AF_INET6 packet mark,93";
    const Result attack = held("--net-allow allowed.test", words + " udplite,198.51.100.1");
    BOOST_TEST(attack.printed("raw,AF_INET EPERM\nraw,AF_INET6 EPERM\npacket EPERM\nmark,93 EPERM\n"), attack);
    BOOST_TEST(!attack.printed("udplite,198.51.100.1 open"), attack);
    const Result control = on_host("$SANDBOX -q --cap-add net_raw,net_admin $PROBE " + words);
    BOOST_TEST(control.out == "raw,AF_INET open\nraw,AF_INET6 open\npacket open\nmark,93 open\n", control);
    const Result both = on_host("$SANDBOX -q --net-allow allowed.test --cap-add net_raw echo ran");
    BOOST_TEST(both.status == 125, both);
    BOOST_TEST(both.said("cannot keep CAP_NET_RAW where the network is held to a list"), both);
}

BOOST_AUTO_TEST_CASE(cmd_can_neither_see_nor_change_the_rules) {
    NEEDS(can_hold(), kNoList);
    const std::string attempt = "PATH=$PATH:/usr/sbin:/sbin; nft flush ruleset 2>/dev/null && echo flushed; "
                                "nft add element inet sandbox names0_4_0 '{ 198.51.100.2 }' 2>/dev/null && echo added; "
                                "nft list ruleset 2>/dev/null | grep names; "
                                "unshare -Urn nft list table inet sandbox 2>/dev/null && echo seen; "
                                "python3 probe.py tcp,198.51.100.2,80";
    const Result attack = on_host("$SANDBOX -q --net-allow allowed.test sh -c \"" + attempt + "\"");
    BOOST_TEST(attack.out == "tcp,198.51.100.2,80 ECONNREFUSED\n", attack);
    // The same words work for who has the right.
    const Result control =
        on_host("$SANDBOX -q --cap-add net_admin sh -c 'PATH=$PATH:/usr/sbin; nft add table inet sandbox && "
                "nft flush ruleset && echo flushed'");
    BOOST_TEST(control.out == "flushed\n", control);
}

BOOST_AUTO_TEST_CASE(the_resolver_is_out_of_reach_and_its_end_closes_the_list) {
    NEEDS(can_hold(), kNoList);
    const Result hidden = on_host("$SANDBOX -q --net-allow allowed.test sh -c 'cat /proc/[0-9]*/comm; "
                                  "pkill -9 dnsmasq; pkill -9 nft; python3 probe.py name,allowed.test'");
    BOOST_TEST(!hidden.printed("dnsmasq"), hidden);
    BOOST_TEST(hidden.printed("name,allowed.test 198.51.100.1"), hidden);
    // With the host's process table and the same single id CMD can end it; what it held stays held.
    const Result killed =
        on_host("$SANDBOX --share pid --net-allow allowed.test sh -c 'pkill -9 dnsmasq; sleep 1; "
                "python3 probe.py name,allowed.test tcp,198.51.100.2,80 dns,198.51.100.53,allowed.test'");
    BOOST_TEST(killed.out == "name,allowed.test no-address\ntcp,198.51.100.2,80 ECONNREFUSED\n"
                             "dns,198.51.100.53,allowed.test EPERM\n",
               killed);
    BOOST_TEST(killed.said("the network ended before CMD did"), killed);
    BOOST_TEST(killed.said("no name resolves any more"), killed);
}

BOOST_AUTO_TEST_CASE(an_address_closes_when_its_answer_has_died_and_connections_live_on) {
    NEEDS(can_hold(), kNoList);
    profile("brief", "extends = \"lone\"\n[network]\nallow = [\"allowed.test\"]\nanswer-ttl = \"2s\"\n");
    write(project / "wait.py", R"PY(
import socket, sys, time
kept = socket.create_connection(('allowed.test', 80), 20)
while True:
    try:
        socket.create_connection(('198.51.100.1', 80), 20).close()
    except ConnectionRefusedError:
        break
    time.sleep(0.1)
print('closed')
kept.sendall(b'GET / HTTP/1.0\r\n\r\n')
print('lives' if kept.recv(99) else 'dead')
socket.create_connection(('allowed.test', 80), 20).close()
print('open again')
)PY");
    const Result result = on_host("$SANDBOX -q -p brief python3 wait.py");
    BOOST_TEST(result.out == "closed\nlives\nopen again\n", result);
}

BOOST_AUTO_TEST_CASE(the_end_tells_what_was_refused_how_often_and_what_would_allow_it) {
    NEEDS(can_hold(), kNoList);
    const Result told =
        on_host("$SANDBOX --report always --net-allow allowed.test:443 --net-allow near.test $PROBE name,other.test "
                "tcp,allowed.test,80 tcp,198.51.100.2,443 tcp,198.51.100.2,443 udp,198.51.100.2,9000 "
                "tcp,near.test,80 tcp,2001:db8::2,80");
    BOOST_TEST(told.said("note: the network is held to a list (--net-allow allowed.test:443), and refused"), told);
    BOOST_TEST(told.said("'other.test', asked for "), told);
    BOOST_TEST(told.said("--net-allow other.test"), told);
    BOOST_TEST(told.said("allowed.test at 198.51.100.1, tcp port 80, once: --net-allow allowed.test:80"), told);
    BOOST_TEST(told.said("198.51.100.2, tcp port 443, 2 times: --net-allow 198.51.100.2:443"), told);
    BOOST_TEST(told.said("198.51.100.2, udp port 9000, once: --net-allow 198.51.100.2:9000"), told);
    BOOST_TEST(told.said("near.test at 10.9.9.9, tcp port 80, once, near this machine, where no name leads: "
                         "--net-allow 10.9.9.9:80"),
               told);
    BOOST_TEST(told.said("[2001:db8::2], tcp port 80, once: --net-allow '[2001:db8::2]:80'"), told);
    const Result alias = on_host("$SANDBOX --report always --net-allow alias.test:443 $PROBE tcp,alias.test,80; "
                                 "$SANDBOX --report always --net-allow alias.test:80 $PROBE tcp,alias.test,80");
    BOOST_TEST(alias.out == "tcp,alias.test,80 ECONNREFUSED\ntcp,alias.test,80 open\n", alias);
    BOOST_TEST(alias.said("alias.test at 198.51.100.1, tcp port 80, once: --net-allow alias.test:80"), alias);
    const Result nothing = on_host("$SANDBOX --report always --net-allow allowed.test $PROBE tcp,allowed.test,80");
    BOOST_TEST(!nothing.said("refused"), nothing);
}

BOOST_AUTO_TEST_CASE(pasta_is_held_to_a_list_too) {
    NEEDS(can_hold(), kNoList);
    NEEDS(installed("pasta"), "pasta is not installed");
    const Result result = held("--net pasta --net-allow allowed.test", "tcp,allowed.test,80 tcp,198.51.100.2,80 "
                                                                       "name,other.test");
    BOOST_TEST(result.out == "tcp,allowed.test,80 open\ntcp,198.51.100.2,80 ECONNREFUSED\nname,other.test no-address\n",
               result);
}

BOOST_AUTO_TEST_CASE(a_package_is_installed_from_the_registry_alone) {
    NEEDS(can_hold(), kNoList);
    constexpr const char* kNoRegistry = "npm, or the registry that it is told of, cannot be reached from here";
    NEEDS(installed("npm"), kNoRegistry);
    // As the one who started this has it: his configuration, and what it names.
    const auto setting = [](const char* name) {
        Options options;
        options.as = started_by_root() ? &root_user() : nullptr;
        std::string text = run({"npm", "config", "get", name}, options).out;
        text.erase(std::min(text.find('\n'), text.size()));
        return text == "null" || text == "undefined" ? std::string() : text;
    };
    const std::string registry = setting("registry");
    std::string host = registry.substr(registry.find("://") + 3);
    host.erase(std::min(host.find('/'), host.size()));
    const std::string entry =
        host.find(':') == std::string::npos ? host + (registry.starts_with("http:") ? ":80" : ":443") : host;
    Words options = {"--env", "npm_config_registry=" + registry};
    Words reach = {"curl", "-sS", "-m", "20", "-o", "/dev/null", registry + "is-odd"};
    if (const std::string file = setting("cafile"); !file.empty()) {
        const std::string copy = write(home / "ca.pem", read_file(file)).string();
        options.insert(options.end(), {"--ro", copy, "--env", "npm_config_cafile=" + copy});
        reach.insert(reach.end(), {"--cacert", copy});
    }
    NEEDS(outside(reach).status == 0, kNoRegistry);
    const auto install = [&](const std::string& list) {
        profile("registry", "extends = \"npm\"\n[network]\nallow = [\"" + list + "\"]\n");
        Words words = {"-p", "registry"};
        words.insert(words.end(), options.begin(), options.end());
        words.insert(words.end(), {"--", "npm", "install", "--no-audit", "--no-fund", "is-odd"});
        return sandbox(words);
    };
    const auto begin = std::chrono::steady_clock::now();
    const Result refused = install("unrelated.test:443");
    const auto seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    BOOST_TEST(refused.status != 0, refused);
    // 2 seconds where nothing else runs; npm's own waiting, or a refusal that comes as silence, is more than 60.
    BOOST_TEST(seconds < 20);
    BOOST_TEST(refused.said("'" + host.substr(0, host.find(':')) + "', asked for "), refused);
    BOOST_TEST(!std::filesystem::exists(project / "node_modules/is-odd"));
    const Result done = install(entry);
    BOOST_TEST(done.status == 0, done);
    BOOST_TEST(std::filesystem::exists(project / "node_modules/is-odd/package.json"));
    BOOST_TEST(std::filesystem::exists(project / "node_modules/is-number/package.json"));
}

BOOST_AUTO_TEST_CASE(the_profiles_with_a_list_run) {
    NEEDS(can_hold(), kNoList);
    for (const char* name : {"npm", "pip"}) {
        const Result ran = sandbox({"--quiet", "--profile", name, "--", "sh", "-c", "touch made && echo fine"});
        BOOST_TEST(ran.out == "fine\n", name << ran);
        BOOST_TEST(ran.err.empty(), name << ran);
    }
}

BOOST_AUTO_TEST_CASE(an_empty_list_lets_nothing_through) {
    NEEDS(can_hold(), kNoList);
    profile("closed", "extends = \"lone\"\n[network]\nallow = []\n");
    const Result result = on_host("$SANDBOX -q -p closed $PROBE tcp,198.51.100.1,80 name,allowed.test");
    BOOST_TEST(result.out == "tcp,198.51.100.1,80 ECONNREFUSED\nname,allowed.test no-address\n", result);
}

BOOST_AUTO_TEST_CASE(the_resolver_has_no_rights_and_no_files_and_nothing_is_left_of_it) {
    NEEDS(can_hold(), kNoList);
    NEEDS(started_by_root(), "only root looks at what the resolver has");
    const Belongings before = belongings(*this);
    {
        Process running(
            {sandbox_program(), "-q", "--net-allow", "allowed.test", "--", "sh", "-c", "echo up; sleep 100"}, here());
        BOOST_REQUIRE(running.wait_for("up\n"));
        Options as_root;
        as_root.as = &root_user();
        const Result seen = run({"sh", "-c",
                                 "p=$(pgrep -n -x dnsmasq); grep -E '^(Uid|Groups|CapEff|CapBnd|NoNewPrivs|NSpid)' "
                                 "/proc/$p/status | tr -s '\\t ' ' '; ls /proc/$p/root /proc/$p/root/dev; "
                                 "touch /proc/$p/root/x 2>&1; tr '\\0' ' ' </proc/$p/environ"},
                                as_root);
        BOOST_TEST(seen.printed("CapEff: 0000000000001400\nCapBnd: 0000000000001400\nNoNewPrivs: 1\n"), seen);
        BOOST_TEST(seen.printed("Groups: \n"), seen);
        BOOST_TEST(!seen.printed("Uid: " + std::to_string(user().uid) + " "), seen);
        BOOST_TEST(!seen.printed("home"), seen);
        BOOST_TEST(!seen.printed("proc\n"), seen);
        BOOST_TEST(seen.printed("Read-only file system"), seen);
        running.signal(SIGKILL);
        static_cast<void>(running.finish());
    }
    BOOST_TEST(belongings_settled(*this, before) == before);
}

BOOST_AUTO_TEST_SUITE_END()
