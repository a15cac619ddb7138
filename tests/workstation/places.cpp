// Where else the cgroup of a sandbox comes from, and what is said where there is none. One suite for each way to come
// to a machine; run-limits.sh knows which is whose.
#include <signal.h>

#include <boost/test/unit_test.hpp>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <thread>

#include "tests/workstation/limits_world.hpp"

using namespace sandbox::test;
namespace fs = std::filesystem;

BOOST_FIXTURE_TEST_SUITE(login, Limits)

BOOST_AUTO_TEST_CASE(from_a_login_session_whose_scope_is_roots_limits_hold) {
    BOOST_TEST(read_file("/proc/self/cgroup").find("session-") != std::string::npos);
    expect_killed_at("64m", 64, hog({"--memory", "64m"}, {"memory", "128"}));
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_FIXTURE_TEST_SUITE(storage, Limits)

BOOST_AUTO_TEST_CASE(where_io_is_delegated_a_disk_is_written_at_the_limit_and_read_back_by_stats) {
    const Words writer = {"--stats=json", "--",     "dd",       "if=/dev/zero",
                          "of=written",   "bs=64k", "count=64", "oflag=direct"};
    Words limited = {"--io", "/home:wbps=1m"};
    limited.insert(limited.end(), writer.begin(), writer.end());
    const nlohmann::json held = stats(sandbox(limited));
    // 4 MiB at 1 MiB a second; the first of them may pass at once.
    BOOST_TEST(held.at("wall_usec") > 2'500'000, held.dump());
    BOOST_TEST(held.at("written_bytes") >= 4 * 1024 * 1024, held.dump());
    const nlohmann::json control = stats(sandbox(writer));
    BOOST_TEST(control.at("wall_usec") < held.at("wall_usec"), control.dump());
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_FIXTURE_TEST_SUITE(without, Limits)

BOOST_AUTO_TEST_CASE(without_a_manager_limits_are_refused_and_strict_says_that_they_are_off) {
    const std::string cause = user().name + " has no systemd of its own here: neither a login session nor lingering";
    expect_refused(sandbox({"--memory", "64m", "--", "echo", "ran"}), cause);
    const Result warned = sandbox({"--profile", "strict", "--", "echo", "ran"});
    BOOST_TEST(warned.out == "ran\n", warned);
    BOOST_TEST(warned.said("no limit of memory, pids and cpus: " + cause + "; to get it: sudo loginctl enable-linger"),
               warned);
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_FIXTURE_TEST_SUITE(delegated, Limits)

namespace {

/// As a service of the machine's that delegates its cgroup to the user.
Words service(Words words) {
    const Words start = {
        "systemd-run", "--uid=" + user().name, "--property=Delegate=yes", "--pipe", "--wait", "--collect", "--quiet"};
    words.insert(words.begin(), start.begin(), start.end());
    return words;
}

} // namespace

BOOST_AUTO_TEST_CASE(a_cgroup_that_is_delegated_to_the_caller_holds_the_limits) {
    Options options = here();
    options.as = &root_user();
    Words words = with_hog({sandbox_program(), "--memory", "64m"}, {"memory", "128"});
    expect_killed_at("64m", 64, run(service(words), options));
    words = {sandbox_program(), "--memory", "64m", "--", "cat", "/proc/self/cgroup"};
    BOOST_TEST(run(service(words), options).out == "0::/\n");
}

BOOST_AUTO_TEST_CASE(a_cgroup_with_other_processes_is_refused_and_left_as_it_was) {
    Options options = here();
    options.as = &root_user();
    const std::string look =
        "d=/sys/fs/cgroup$(cut -d: -f3 /proc/self/cgroup); ls -d $d/*/; cat $d/cgroup.subtree_control; ";
    const Result refused =
        run(service({"sh", "-c", sandbox_program() + " --memory 64m -- echo ran; " + look + "echo looked"}), options);
    BOOST_TEST(refused.said("it has other processes than this one"), refused);
    BOOST_TEST(refused.out == "looked\n", refused);
}

BOOST_AUTO_TEST_CASE(a_failure_of_the_start_is_told_and_not_that_the_cgroup_lost_its_process) {
    Options options = here();
    options.as = &root_user();
    const std::string most = "/proc/sys/user/max_uts_namespaces";
    const std::string before = read_file(most);
    std::ofstream(most) << "0\n";
    const Result without_limits = run(service({sandbox_program(), "--", "true"}), options);
    const Result with_limits = run(service({sandbox_program(), "--memory", "64m", "--", "true"}), options);
    std::ofstream(most) << before;
    BOOST_TEST(without_limits.said("max_uts_namespaces"), without_limits);
    BOOST_TEST(with_limits.err == without_limits.err, with_limits);
    BOOST_TEST(with_limits.status == 125, with_limits);
}

BOOST_AUTO_TEST_CASE(a_start_that_fails_with_a_network_leaves_a_delegated_cgroup_as_it_was) {
    Options options = here();
    options.as = &root_user();
    const std::string script =
        "d=/sys/fs/cgroup$(cut -d: -f3 /proc/self/cgroup); mkdir $d/shell; echo $$ >$d/shell/cgroup.procs\n"
        "sh -c 'echo $$ >$0/cgroup.procs; exec \"$@\"' $d " +
        sandbox_program() + " --net slirp4netns --memory 64m -- /nonexistent; echo $?; cd $d; echo */\n";
    const Result ended = run(service({"sh", write(home / "script", script).string()}), options);
    BOOST_TEST(ended.out == "127\nshell/\n", ended);
}

BOOST_AUTO_TEST_CASE(of_two_in_one_delegated_cgroup_neither_touches_the_others) {
    Options options = here();
    options.as = &root_user();
    const std::string start = sandbox_program() + " --profile strict -- sh -c ";
    const std::string script = start + "'echo one; sleep 3; echo still one' &\n" + start + "'echo two' & wait\n";
    const Result ended = run(service({"sh", write(home / "script", script).string()}), options);
    BOOST_TEST(ended.status == 0, ended);
    BOOST_TEST(ended.printed("two\n"), ended);
    BOOST_TEST(ended.printed("still one\n"), ended);
}

BOOST_AUTO_TEST_CASE(a_delegated_cgroup_is_as_it_was_after_the_end_and_after_the_supervisor_was_killed) {
    Options options = here();
    options.as = &root_user();
    const std::string output = (home / "output").string();
    const std::string script =
        "d=/sys/fs/cgroup$(cut -d: -f3 /proc/self/cgroup); mkdir $d/shell; echo $$ >$d/shell/cgroup.procs\n"
        "look() { (cd $d; echo */ | tr -d 0-9-; cat cgroup.subtree_control); }\n"
        "start() { sh -c 'echo $$ >$0/cgroup.procs; exec \"$@\"' $d " +
        sandbox_program() + " --memory 64m -- sh -c \"$1\" >" + output +
        "; }\n"
        "start true; look\n"
        "start 'echo ready; exec sleep 27182' &\n"
        "until grep -q ready " +
        output +
        "; do sleep 0.1; done; look\n"
        "pkill -9 -o -f -x '" +
        sandbox_program() +
        " --memory 64m -- sh -c echo ready.*'\n"
        "for i in $(seq 300); do [ -d $d/keeper-* ] || break; sleep 0.1; done; look\n";
    const Result ended =
        run(service({"sh", write(home / "script", script).string()}), options); // systemd-run reads $$ as $
    BOOST_TEST(ended.out == "shell/\nkeeper/ sandbox/ shell/\nmemory\nshell/\n", ended);
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_FIXTURE_TEST_SUITE(v1, World)

BOOST_AUTO_TEST_CASE(with_cgroup_v1_limits_are_refused_and_strict_says_that_they_are_off) {
    const Result refused = sandbox({"--memory", "64m", "--", "echo", "ran"});
    BOOST_TEST(refused.status == 125, refused);
    BOOST_TEST(refused.said("systemd.unified_cgroup_hierarchy=1"), refused);
    BOOST_TEST(refused.out.empty(), refused);
    const Result warned = sandbox({"--profile", "strict", "--", "echo", "ran"});
    BOOST_TEST(warned.out == "ran\n", warned);
    BOOST_TEST(warned.said("no limit of memory, pids and cpus: this machine has "), warned);
    const Result doctor = run({sandboxctl_program(), "doctor"}, here());
    BOOST_TEST(doctor.printed("systemd.unified_cgroup_hierarchy=1"), doctor);
}

BOOST_AUTO_TEST_SUITE_END()
