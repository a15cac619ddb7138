// Processes, network, host name, IPC: CMD's own, and nothing of the host's.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/ipc.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <boost/test/unit_test.hpp>
#include <cstddef>
#include <cstring>
#include <sstream>

#include "core/base/fd.hpp"
#include "tests/support/count.hpp"
#include "tests/support/world.hpp"

using namespace sandbox::test;
using sandbox::Fd;

namespace {

/// A listening TCP socket of the host on the loopback; its port.
std::pair<Fd, unsigned short> listen_on_loopback() {
    Fd listener(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t length = sizeof address;
    BOOST_REQUIRE(::bind(listener.get(), reinterpret_cast<sockaddr*>(&address), length) == 0);
    BOOST_REQUIRE(::listen(listener.get(), 16) == 0);
    BOOST_REQUIRE(::getsockname(listener.get(), reinterpret_cast<sockaddr*>(&address), &length) == 0);
    return {std::move(listener), ntohs(address.sin_port)};
}

/// A listening unix socket; a name that starts with '/' is a path, another is abstract.
Fd listen_on_unix(const std::string& name) {
    Fd listener(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    const std::size_t offset = name.starts_with('/') ? 0 : 1;
    std::memcpy(address.sun_path + offset, name.data(), name.size());
    const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + offset + name.size());
    BOOST_REQUIRE(::bind(listener.get(), reinterpret_cast<sockaddr*>(&address), length) == 0);
    BOOST_REQUIRE(::listen(listener.get(), 16) == 0);
    return listener;
}

} // namespace

BOOST_FIXTURE_TEST_SUITE(namespaces, World)

BOOST_AUTO_TEST_CASE(every_namespace_is_a_new_one) {
    const std::string script = "for n in user pid net mnt uts ipc cgroup; do readlink /proc/self/ns/$n; done";
    std::istringstream inner(strict_sh(script).out);
    std::istringstream outer(sh(script).out);
    int compared = 0;
    for (std::string one, other; (outer >> one) && (inner >> other); ++compared) {
        BOOST_TEST(one != other);
        BOOST_TEST(one.substr(0, one.find(':')) == other.substr(0, other.find(':')));
    }
    BOOST_TEST(compared == 7);
}

BOOST_AUTO_TEST_CASE(a_shared_namespace_is_the_hosts) {
    for (const std::string name : {"pid", "net", "ipc", "uts", "cgroup"}) {
        const std::string link = "/proc/self/ns/" + name;
        const Result shared = sandbox({"--profile", "permissive", "--share", name, "--", "readlink", link});
        BOOST_TEST(shared.out == outside({"readlink", link}).out, name << shared);
        BOOST_TEST(shared.status == 0, name << shared);
    }
}

BOOST_AUTO_TEST_CASE(only_the_sandboxs_own_processes_are_listed) {
    const Result listing = strict_sh("ls /proc | grep -c '^[0-9]'; cat /proc/1/comm");
    // pid 1, sh, ls, grep and perhaps a subshell.
    BOOST_TEST(std::stoi(listing.out) <= 5, listing);
    BOOST_TEST(std::stoi(sh("ls /proc | grep -c '^[0-9]'").out) > 5);
}

BOOST_AUTO_TEST_CASE(a_process_of_the_host_cannot_be_signalled_or_read) {
    Process victim({"sleep", "1000"}, here());
    const std::string pid = std::to_string(victim.pid());
    const std::string script = "kill -0 " + pid + " && echo reached; cat /proc/" + pid + "/environ | tr '\\0' '\\n'";
    const Result attack = strict_sh(script);
    BOOST_TEST(attack.out.empty(), attack);
    const Result control = sh(script);
    BOOST_TEST(control.printed("reached"), control);
    BOOST_TEST(control.printed("HOME="), control);
}

BOOST_AUTO_TEST_CASE(pid_1_shows_nothing_of_the_command_line_and_the_plan) {
    write(home / "named-on-the-command-line/file", "x");
    Options options = here();
    options.environment["SECRET_TOKEN"] = "in-the-callers-environment";
    const Result shown =
        sandbox({"--profile", "permissive", "--ro", (home / "named-on-the-command-line").string(), "--", "sh", "-c",
                 "cat /proc/1/cmdline /proc/1/environ /proc/1/comm /proc/1/maps 2>&1; "
                 "ls -l /proc/1/exe /proc/1/cwd /proc/1/root /proc/1/fd 2>&1; true"},
                options);
    BOOST_TEST(!shown.printed("named-on-the-command-line"), shown);
    BOOST_TEST(!shown.printed("in-the-callers-environment"), shown);
    BOOST_TEST(!shown.printed("permissive"), shown);
    BOOST_TEST(!shown.printed("/sandbox\n"), shown);
    BOOST_TEST(shown.printed("Permission denied"), shown);
}

BOOST_AUTO_TEST_CASE(the_supervisors_root_cannot_be_reached_through_proc) {
    const Result attack = sandbox(
        {"--profile", "strict", "--", "sh", "-c", "cat /proc/$PPID/root/etc/hostname /proc/1/root/etc/hostname"});
    BOOST_TEST(attack.out.empty(), attack);
    BOOST_TEST(attack.said("/proc/1/root/etc/hostname: Permission denied"), attack);
    BOOST_TEST(!strict_sh("cat /proc/self/root/etc/hostname").out.empty());
    // Even where CMD shares the host's processes, those of ours stay closed.
    const Result shared = sandbox({"--profile", "permissive", "--share", "pid", "--tmpfs", home.string(), "--", "sh",
                                   "-c", "ls -A /proc/$PPID/root" + home.string()});
    BOOST_TEST(!shared.printed("project"), shared);
    BOOST_TEST(sh("ls -A /proc/self/root" + home.string()).printed("project"));
}

BOOST_AUTO_TEST_CASE(loopback_is_up_and_is_the_only_interface) {
    const Result self = inside("strict", {probe("connect"), "self"});
    BOOST_TEST(self.printed("self: ok"), self);
    const Result list = strict_sh("tail -n +3 /proc/net/dev | cut -d: -f1 | tr -d ' '");
    // Tunnel modules may add devices of their own to every network namespace; none of them is up.
    BOOST_TEST(list.printed("lo\n"), list);
    BOOST_TEST(!list.printed("eth"), list);
    const Result routes = strict_sh("cat /proc/net/route | tail -n +2");
    BOOST_TEST(routes.out.empty(), routes);
}

BOOST_AUTO_TEST_CASE(a_server_on_the_hosts_loopback_cannot_be_reached) {
    const auto [listener, port] = listen_on_loopback();
    const std::string number = std::to_string(port);
    const Result attack = inside("strict", {probe("connect"), "tcp", number});
    const Result control = outside({probe("connect"), "tcp", number});
    BOOST_TEST(attack.printed("tcp: ECONNREFUSED"), attack);
    BOOST_TEST(control.printed("tcp: ok"), control);
    const Result asked = sandbox(
        {"--profile", "strict", "--net", "host", "--ro", probe_directory(), "--", probe("connect"), "tcp", number});
    BOOST_TEST(asked.printed("tcp: ok"), asked);
}

BOOST_AUTO_TEST_CASE(an_abstract_socket_of_the_host_cannot_be_reached) {
    const std::string name = "sandbox-test-" + std::to_string(::getpid());
    const Fd listener = listen_on_unix(name);
    const Result attack = inside("strict", {probe("connect"), "abstract", name});
    const Result control = outside({probe("connect"), "abstract", name});
    BOOST_TEST(attack.printed("abstract: ECONNREFUSED"), attack);
    BOOST_TEST(control.printed("abstract: ok"), control);
}

BOOST_AUTO_TEST_CASE(a_socket_in_the_home_or_the_runtime_directory_cannot_be_reached) {
    std::vector<std::string> paths = {(home / "agent.sock").string()};
    if (!runtime.empty()) {
        paths.push_back((runtime / "sandbox-tests.sock").string());
    }
    for (const std::string& path : paths) {
        const Fd listener = listen_on_unix(path);
        BOOST_REQUIRE(::chmod(path.c_str(), 0777) == 0);
        const Result attack = inside("strict", {probe("connect"), "path", path});
        const Result control = outside({probe("connect"), "path", path});
        BOOST_TEST(attack.printed("path: ENOENT"), path << attack);
        BOOST_TEST(control.printed("path: ok"), path << control);
        ::unlink(path.c_str());
    }
}

BOOST_AUTO_TEST_CASE(the_host_name_is_the_sandboxs_own) {
    BOOST_TEST(strict_sh("uname -n").out == "sandbox\n");
    BOOST_TEST(sandbox({"--profile", "strict", "--hostname", "other", "--", "uname", "-n"}).out == "other\n");
    const std::string before = outside({"uname", "-n"}).out;
    const Result change = sandbox({"--profile", "permissive", "--cap-add", "sys_admin", "--ro", probe_directory(), "--",
                                   "sh", "-c", probe("attempt") + " sethostname; uname -n"});
    BOOST_TEST(change.printed("sethostname: ok"), change);
    BOOST_TEST(outside({"uname", "-n"}).out == before);
}

BOOST_AUTO_TEST_CASE(shared_memory_of_the_host_cannot_be_reached) {
    NEEDS(installed("ipcs"), "ipcs is not installed");
    const int segment = ::shmget(IPC_PRIVATE, 4096, IPC_CREAT | 0666);
    BOOST_REQUIRE(segment >= 0);
    const std::string script = "ipcs -m | grep -c 0x";
    const Result attack = inside("permissive", {"sh", "-c", script});
    const Result control = sh(script);
    ::shmctl(segment, IPC_RMID, nullptr);
    BOOST_TEST(attack.out == "0\n", attack);
    BOOST_TEST(control.out != "0\n", control);
}

BOOST_AUTO_TEST_CASE(the_cgroup_shows_as_the_root) {
    const Result shown = strict_sh("cut -d: -f3 /proc/self/cgroup | sort -u");
    BOOST_TEST(shown.out == "/\n", shown);
}

BOOST_AUTO_TEST_SUITE_END()
