// sandboxctl exec into a sandbox with limits: the newcomer is in its cgroup before it runs anything, wherever it came
// from. The suites are those of run-limits.sh.
#include <boost/test/unit_test.hpp>
#include <csignal>
#include <filesystem>

#include "tests/workstation/limits_world.hpp"

using namespace sandbox::test;
namespace fs = std::filesystem;

namespace {

Result exec(const Limits& world, const Words& rest) {
    Words words = {sandboxctl_program(), "exec", "web"};
    words.insert(words.end(), rest.begin(), rest.end());
    return run(words, world.here());
}

/// The cgroup of the sandbox that runs, outside.
std::string sandbox_cgroup() {
    for (const std::string& cgroup : cgroups()) {
        if (fs::path(cgroup).filename().string().find(".scope") == std::string::npos &&
            fs::path(cgroup).filename().string().starts_with("sandbox-")) {
            return cgroup;
        }
    }
    return "";
}

void expect_entered(const Limits& world) {
    Process running = world.waiting({"--name", "web", "--ro", probe_directory(), "--memory", "64m", "--pids", "20"});
    // Its cgroup namespace has the sandbox's cgroup as its root.
    for (int i = 0; i < 3; ++i) {
        const Result entered = exec(world, {"cat", "/proc/self/cgroup"});
        BOOST_TEST(entered.out == "0::/\n", entered);
    }
    // What it does counts there: pids too, whoever forks.
    const std::string cgroup = sandbox_cgroup();
    BOOST_REQUIRE(!cgroup.empty());
    const Result forked = exec(world, {"sh", "-c",
                                       "for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do "
                                       "sleep 1000 & done; wait"});
    BOOST_TEST(forked.said("fork"), forked);
    // The shell, which gave up, and who looked after it have made room for just these two.
    Process last({sandboxctl_program(), "exec", "web", "sh", "-c", "echo in; exec sleep 1000"}, world.here());
    BOOST_TEST(last.wait_for("in\n"), last.so_far());
    BOOST_TEST(read_file(cgroup + "/pids.current") == "20\n");
    // No room is left for another.
    const Result refused = exec(world, {"echo", "in"});
    BOOST_TEST(refused.status == 125, refused);
    BOOST_TEST(refused.said("cause: the sandbox has as many processes as it may have"), refused);
    BOOST_TEST(refused.out.empty(), refused);
    running.signal(SIGTERM);
    BOOST_TEST(!running.finish().hung);
}

void expect_held_to_memory(const Limits& world) {
    Process running = world.waiting({"--name", "web", "--ro", probe_directory(), "--memory", "64m"});
    const Result killed = exec(world, {probe("hog"), "memory", "128"});
    // The limit is the sandbox's, so its end is the end of all in it.
    BOOST_TEST(killed.status == 128 + SIGKILL, killed);
    BOOST_TEST(killed.said("the sandbox 'web' ended, and the command with it"), killed);
    BOOST_TEST(running.finish().status == 128 + SIGKILL);
}

} // namespace

BOOST_FIXTURE_TEST_SUITE(developer, Limits)

BOOST_AUTO_TEST_CASE(exec_enters_the_cgroup_of_a_sandbox) {
    expect_entered(*this);
}

BOOST_AUTO_TEST_CASE(exec_is_held_to_the_memory_of_a_sandbox) {
    expect_held_to_memory(*this);
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_FIXTURE_TEST_SUITE(login, Limits)

BOOST_AUTO_TEST_CASE(exec_from_a_login_session_enters_the_cgroup_of_a_sandbox_through_systemd) {
    {
        // The control: what systemd does is refused to the user.
        const Process running = waiting({"--memory", "64m"});
        const Result refused = sh("echo $$ > " + sandbox_cgroup() + "/cgroup.procs");
        BOOST_TEST(refused.status != 0, refused);
    }
    expect_nothing_left();
    expect_entered(*this);
}

BOOST_AUTO_TEST_CASE(exec_from_a_login_session_is_held_to_the_memory_of_a_sandbox) {
    expect_held_to_memory(*this);
}

BOOST_AUTO_TEST_SUITE_END()
