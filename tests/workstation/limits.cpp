// Limits of the whole sandbox, as the developer of a workstation has them: in a scope of his systemd.
#include <signal.h>

#include <boost/test/unit_test.hpp>
#include <chrono>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <thread>

#include "tests/workstation/limits_world.hpp"

using namespace sandbox::test;
namespace fs = std::filesystem;

BOOST_FIXTURE_TEST_SUITE(developer, Limits)

BOOST_AUTO_TEST_CASE(a_sandbox_is_killed_at_its_memory_limit_and_not_before_and_alone) {
    Process other = waiting({"--memory", "64m"});
    for (const long limit : {64L, 256L, 512L}) {
        const std::string text = std::to_string(limit) + "m";
        expect_killed_at(text, limit, hog({"--memory", text}, {"memory", std::to_string(limit * 2)}));
        const Result control = hog({"--memory", text}, {"memory", std::to_string(limit * 8 / 10)});
        BOOST_TEST(control.status == 0, control);
    }
    other.write("alive\n");
    BOOST_TEST(other.wait_for("alive\n"));
    BOOST_TEST(other.finish().status == 0);
    BOOST_TEST(
        settles([&] { return sh("systemctl --user list-units --all --plain --no-legend 'sandbox-*'").out.empty(); }));
}

BOOST_AUTO_TEST_CASE(what_is_over_the_limit_is_not_swapped_out_unless_that_is_asked_for) {
    const Result control = hog({"--memory", "32m", "--swap", "64m"}, {"memory", "48"});
    BOOST_TEST(control.status == 0, control);
    expect_killed_at("32m", 32, hog({"--memory", "32m"}, {"memory", "48"}));
}

BOOST_AUTO_TEST_CASE(a_limit_holds_for_what_forks_away_and_nothing_of_the_tree_is_left) {
    expect_killed_at("64m", 64, hog({"--memory", "64m"}, {"daemon", "128"}));
    const Result shared = hog({"--share", "pid", "--memory", "64m"}, {"daemon", "128"});
    BOOST_TEST(shared.said("it reached its memory limit of 64 MiB"), shared);
}

BOOST_AUTO_TEST_CASE(a_fork_bomb_stays_at_the_limit_and_ends_with_an_interrupt) {
    Words words = with_hog({"--pids", "64", "--stats=json"}, {"forks"});
    words.insert(words.begin(), sandbox_program());
    Process bomb(words, here());
    BOOST_REQUIRE(bomb.wait_for("bomb\n"));
    std::this_thread::sleep_for(std::chrono::seconds(2));
    bomb.signal(SIGINT);
    const Result ended = bomb.finish();
    BOOST_TEST(ended.status == 128 + SIGINT, ended);
    BOOST_TEST(stats(ended)["pids_peak"] == 64, ended);
    BOOST_TEST(stats(ended)["forks_refused"] > 0, ended);
}

BOOST_AUTO_TEST_CASE(a_limit_that_was_reached_is_in_the_report_with_its_line) {
    const Words forks = {"--", "sh", "-c",
                         "for i in 1 2 3 4 5 6 7 8 9; do sleep 5 & done; wait"}; // ends at the first refusal
    const auto told = [&](const char* pids) {
        Words words = {"--report", "always", "--report-json", (home / "report.json").string(), "--pids", pids};
        words.insert(words.end(), forks.begin(), forks.end());
        return sandbox(words);
    };
    const Result attack = told("6");
    BOOST_TEST(attack.said("limit of 6 processes and threads, refused to start another once: --pids 6\n"), attack);
    BOOST_TEST(attack.said("to raise it: --pids N, or in a profile: limits.pids = N\n"), attack);
    const nlohmann::json limit = nlohmann::json::parse(read_file(home / "report.json")).at("refusals").at(0);
    BOOST_TEST(limit.at("kind") == "limit");
    BOOST_TEST(limit.at("object") == "pids");
    BOOST_TEST(limit.at("count") == 1);
    const Result control = told("64");
    BOOST_TEST(!control.said("limit of"), control);
    const Result killed = hog({"--memory", "32m", "--report-json", (home / "memory.json").string()}, {"memory", "64"});
    const nlohmann::json memory = nlohmann::json::parse(read_file(home / "memory.json")).at("refusals").at(0);
    BOOST_TEST(memory.at("object") == "memory", killed);
    BOOST_TEST(memory.at("limit") == "32 MiB", killed);
}

BOOST_AUTO_TEST_CASE(what_serves_cmds_files_stands_in_its_limits_and_what_watches_it_does_not) {
    Process running = waiting({"--memory", "64m", "--overlay", ".", "--overlay-driver", "fuse"});
    const Result fuse = sh("cat /proc/$(pgrep -x fuse-overlayfs)/cgroup");
    BOOST_TEST(fuse.printed(".scope/sandbox-"), fuse);
    const Result keeper = sh("cat /proc/$(pgrep -x sandbox-keeper)/cgroup");
    BOOST_TEST(keeper.printed(".scope/keeper-"), keeper);
    const std::string supervisor = read_file("/proc/" + std::to_string(running.pid()) + "/cgroup");
    BOOST_TEST(supervisor.find("sandbox-sh-") == std::string::npos, supervisor);
}

BOOST_AUTO_TEST_CASE(cpus_gives_so_much_cpu_time_and_no_more) {
    const Result held = hog({"--cpus", "0.5", "--stats=json"}, {"burn", "10"});
    const nlohmann::json used = stats(held);
    const double cpus =
        (used["user_usec"].get<double>() + used["system_usec"].get<double>()) / used["wall_usec"].get<double>();
    BOOST_TEST(cpus > 0.45, held);
    BOOST_TEST(cpus < 0.55, held);
    BOOST_TEST(used["throttled_usec"] > 0, held);
    const Result control = hog({"--stats=json"}, {"burn", "10"});
    const nlohmann::json free = stats(control);
    BOOST_TEST(free["user_usec"].get<double>() / free["wall_usec"].get<double>() > 0.55, control);
}

BOOST_AUTO_TEST_CASE(cmd_sees_its_own_cgroup_as_the_root_and_nothing_of_the_rest) {
    const Result inside = sandbox({"--memory", "64m", "--", "cat", "/proc/self/cgroup"});
    BOOST_TEST(inside.out == "0::/\n", inside);
    const Result control = sandbox({"--memory", "64m", "--share", "cgroup", "--", "cat", "/proc/self/cgroup"});
    BOOST_TEST(control.printed(".scope/sandbox-"), control);
}

BOOST_AUTO_TEST_CASE(cmd_can_neither_raise_its_limits_nor_leave_its_cgroup_by_the_files) {
    const std::string script = "d=$(find /sys/fs/cgroup -type d -path '*/sandbox-*.scope/sandbox-*' | head -n 1); "
                               "[ -n \"$d\" ] && echo found; "
                               "echo 100m >$d/memory.max && echo raised; "
                               "echo 0 >$(echo ${d%/*}/keeper-*)/cgroup.procs && echo moved; "
                               "mkdir $d/../more && echo made";
    const Result attack = sandbox({"--profile", "permissive", "--memory", "64m", "--", "sh", "-c", script});
    BOOST_TEST(attack.out == "found\n", attack);
    // The user can, outside: it is the sandbox that keeps CMD from it.
    Process other = waiting({"--memory", "64m"});
    const Result control = sh(script + "; rmdir $d/../more");
    BOOST_TEST(control.out == "found\nraised\nmoved\nmade\n", control);
}

/// A profile in which CMD can mount, and is shown nothing of the host's cgroups.
Words mounting(const World& world, Words options) {
    world.profile("mounting", "extends = \"default\"\n[ids]\nuser = \"root\"\n[capabilities]\nkeep = [\"all\"]\n"
                              "[network]\nmode = \"none\"\n[seccomp]\nextends = \"none\"\ndefault = \"allow\"\n");
    options.insert(options.begin(), {"--quiet", "--profile", "mounting"});
    return options;
}

BOOST_AUTO_TEST_CASE(a_cgroup_file_system_of_its_own_does_not_let_cmd_raise_its_limits) {
    const std::string script =
        "mkdir /tmp/own && mount -t cgroup2 none /tmp/own && cd /tmp/own && echo mounted; for f in memory.max "
        "memory.swap.max pids.max; do echo max >$f && echo raised; done; "
        "mkdir own && echo 5 >own/cgroup.max.depth && "
        "echo wrote";
    const Result attack = sandbox(mounting(*this, {"--memory", "64m", "--pids", "64", "--", "sh", "-c", script}));
    BOOST_TEST(attack.out == "mounted\nwrote\n", attack); // the control: files below its root take what it writes
}

BOOST_AUTO_TEST_CASE(cmd_that_could_make_the_files_of_its_limits_writable_does_not_run) {
    for (const Words& shown : {Words{"--profile", "permissive"}, Words{"--share", "cgroup"}}) {
        Words words = shown;
        words.insert(words.end(),
                     {"--cap-add", "sys_admin", "--seccomp", "none", "--memory", "64m", "--", "echo", "ran"});
        const Result refused = sandbox(words);
        BOOST_TEST(refused.status == 125, refused);
        BOOST_TEST(refused.said("cause: CMD keeps CAP_SYS_ADMIN, may call mount(2), and "), refused);
    }
}

BOOST_AUTO_TEST_CASE(cgroups_that_cmd_makes_are_taken_away_at_once_and_their_ends_are_its_own_affair) {
    const std::string script =
        "mkdir /tmp/own && mount -t cgroup2 none /tmp/own && cd /tmp/own && mkdir -p a b/c && "
        "for i in 1 $$; do echo $i >b/cgroup.procs; done && echo +memory >cgroup.subtree_control && "
        "echo 8m >a/memory.max && echo made; (echo 0 >a/cgroup.procs; exec " +
        probe("hog") + " memory 32); kill -9 $$";
    const Result ended = sandbox(
        mounting(*this, {"--memory", "256m", "--stats=json", "--ro", probe_directory(), "--", "sh", "-c", script}));
    BOOST_TEST(ended.printed("made\n"), ended);
    BOOST_TEST(stats(ended).at("oom_kills") > 0, ended); // the control: memory did run out, below
    BOOST_TEST(!ended.said("memory limit"), ended);
    BOOST_TEST(cgroups().empty());
}

BOOST_AUTO_TEST_CASE(a_bus_that_says_nothing_is_no_reason_not_to_hear_an_interrupt) {
    const std::string path = (home / "bus").string();
    Process mute({"python3", "-c",
                  "import socket,time; s=socket.socket(socket.AF_UNIX); s.bind('" + path +
                      "'); s.listen(); print('up', flush=True); time.sleep(600)"},
                 here());
    BOOST_REQUIRE(mute.wait_for("up\n"));
    Options options = here();
    options.environment["DBUS_SESSION_BUS_ADDRESS"] = "unix:path=" + path;
    Process waits({sandbox_program(), "--memory", "64m", "--", "echo", "ran"}, options);
    std::this_thread::sleep_for(std::chrono::seconds(2));
    waits.signal(SIGINT);
    const Result ended = waits.finish();
    BOOST_TEST(ended.status == 128 + SIGINT, ended);
    BOOST_TEST(ended.out.empty(), ended);
    mute.signal(SIGKILL);
}

BOOST_AUTO_TEST_CASE(what_is_counted_is_told) {
    const Result used = hog({"--memory", "256m", "--pids", "9", "--stats=json", "--status-fd", "1"}, {"memory", "40"});
    const long peak = stats(used).at("memory_peak").get<long>();
    BOOST_TEST(peak > 40 << 20, used);
    BOOST_TEST(peak < 100 << 20, used);
    BOOST_TEST(stats(used).at("pids_peak") <= 9, used);
    BOOST_TEST(used.printed("\"usage\":{\"wall_usec\":"), used);
}

BOOST_AUTO_TEST_CASE(each_limit_stands_in_its_file) {
    Process running =
        waiting({"--memory", "64m", "--swap", "32m", "--pids", "70000", "--cpus", "1.5", "--cpu-weight", "50"});
    const Result limits =
        sh("cd /sys/fs/cgroup/user.slice/*/user@*/*/sandbox-*.scope/sandbox-*; "
           "cat memory.max memory.swap.max pids.max cpu.max cpu.weight cgroup.max.descendants ../pids.max");
    BOOST_TEST(limits.out == "67108864\n33554432\n70000\n150000 100000\n50\n1000\nmax\n", limits);
}

BOOST_AUTO_TEST_CASE(the_scope_is_delegated_and_goes_also_where_it_failed) {
    Process running = waiting({"--name", "shown", "--memory", "64m"});
    const Result scope = sh("systemctl --user show -p CollectMode -p Delegate 'sandbox-shown-*.scope' | sort");
    BOOST_TEST(scope.out == "CollectMode=inactive-or-failed\nDelegate=yes\n", scope);
}

BOOST_AUTO_TEST_CASE(cmd_that_was_killed_for_another_reason_is_not_said_to_have_reached_its_limit) {
    const Result killed = sandbox({"--memory", "64m", "--status-fd", "1", "--", "sh", "-c", "kill -KILL $$"});
    BOOST_TEST(killed.status == 128 + SIGKILL, killed);
    BOOST_TEST(!killed.said("memory limit"), killed);
    BOOST_TEST(!killed.printed("\"oom\""), killed);
}

BOOST_AUTO_TEST_CASE(nothing_is_left_when_the_supervisor_is_killed_50_times) {
    const Belongings before = belongings(*this);
    for (int i = 0; i < 50; ++i) {
        Words words = {sandbox_program(), "--profile", "strict", "--memory", "64m"};
        if (i % 4 < 2) {
            words.insert(words.end(), {"--share", "pid"});
        }
        words.insert(words.end(), {"--", "sh", "-c", "setsid sleep 27182 & echo ready; sleep 27182"});
        Process running(words, here());
        // Half of them while they start.
        if (i % 2 == 0) {
            BOOST_TEST(running.wait_for("ready\n"), running.so_far().err);
        } else {
            std::this_thread::sleep_for(std::chrono::milliseconds(i * 8));
        }
        running.signal(SIGKILL);
        BOOST_TEST(!running.finish().hung, "run " << i);
    }
    expect_nothing_left();
    BOOST_TEST(belongings_settled(*this, before) == before);
    const Result units = sh("systemctl --user list-units --all --plain --no-legend 'sandbox-*'");
    BOOST_TEST(units.out.empty(), units);
}

BOOST_AUTO_TEST_CASE(a_scope_that_is_stopped_from_outside_takes_the_sandbox_along) {
    Process running = waiting({"--name", "stopped", "--memory", "64m"});
    const Result control = sh("systemctl --user list-units --plain --no-legend 'sandbox-stopped-*'");
    BOOST_TEST(control.printed("sandbox-stopped-"), control);
    static_cast<void>(sh("systemctl --user kill --signal=KILL 'sandbox-stopped-*.scope'"));
    const Result ended = running.finish();
    BOOST_TEST(ended.status == 128 + SIGKILL, ended);
    BOOST_TEST(!ended.said("memory limit"), ended);
}

BOOST_AUTO_TEST_CASE(what_a_running_sandbox_uses_is_told_from_its_cgroup) {
    Process running = waiting({"--name", "counted", "--memory", "64m", "--pids", "32", "--cpus", "1"});
    const Result listed = ctl({"ps", "--json"}, here());
    const nlohmann::json rows = nlohmann::json::parse(listed.out);
    BOOST_REQUIRE_MESSAGE(rows.size() == 1U, listed);
    const nlohmann::json& row = rows[0];
    BOOST_TEST(row["counted_by"] != "processes", listed);
    BOOST_TEST(row["unit"].get<std::string>().starts_with("sandbox-counted-"), listed);
    const std::string cgroup = row["cgroup"];
    BOOST_TEST(row["pids"] == 2, listed);
    BOOST_TEST(read_file(cgroup + "/pids.current") == "2\n");
    const Result sample = ctl({"stats", "--once", "--json", "counted"}, here());
    const nlohmann::json used = nlohmann::json::parse(sample.out);
    BOOST_TEST(used["memory"] > 0, sample);
    BOOST_TEST(used["memory"] < 64 << 20, sample);
    BOOST_TEST(used["memory_peak"] >= used["memory"], sample);
    BOOST_TEST(used["throttled_usec"].is_number(), sample);
    BOOST_TEST(ctl({"stop", "counted"}, here()).status == 0);
    BOOST_TEST(!fs::exists(cgroup));
    BOOST_TEST(running.finish().status == 128 + SIGTERM);
}

BOOST_AUTO_TEST_CASE(a_fork_bomb_is_stopped_10_times_and_nothing_of_it_is_left) {
    const Belongings before = belongings(*this);
    for (int i = 0; i < 10; ++i) {
        Words options = {"--name", "bomb", "--pids", "64"};
        if (i % 2 == 1) {
            options.insert(options.end(), {"--share", "pid"});
        }
        Words words = with_hog(options, {"forks"});
        words.insert(words.begin(), sandbox_program());
        Process bomb(words, here());
        BOOST_REQUIRE(bomb.wait_for("bomb\n"));
        const Result stopped =
            i % 4 < 2 ? ctl({"stop", "--time", "1s", "bomb"}, here()) : ctl({"kill", "bomb"}, here());
        BOOST_TEST(stopped.status == 0, stopped);
        // The scope is systemd's to take away, when it gets round to it.
        BOOST_TEST(settles([] { return cgroups().empty(); }), "stop " << i);
        BOOST_TEST(sh("pgrep -x hog || echo none").out == "none\n", "stop " << i);
        BOOST_TEST(!bomb.finish().hung, "stop " << i);
    }
    BOOST_TEST(belongings_settled(*this, before) == before);
}

BOOST_AUTO_TEST_CASE(a_detached_sandbox_with_a_limit_runs_on_and_a_note_says_what_ends_it) {
    const Result started = sandbox({"--detach", "--name", "web", "--memory", "64m", "--", "sleep", "27182"});
    BOOST_TEST(started.status == 0, started);
    const bool lingers = fs::exists("/var/lib/systemd/linger/" + user().name);
    BOOST_TEST(started.said("--detach: it may end with your last session") == !lingers, started);
    const Result listed = ctl({"ps", "--json"}, here());
    BOOST_TEST(nlohmann::json::parse(listed.out)[0]["cgroup"].is_string(), listed);
    BOOST_TEST(ctl({"stop", "web"}, here()).status == 0);
    BOOST_TEST(ctl({"wait", "web"}, here()).status == 128 + SIGTERM);
    BOOST_TEST(ctl({"prune"}, here()).out == "web\n");
}

BOOST_AUTO_TEST_CASE(a_limit_without_its_controller_is_an_error_and_says_how_to_get_it) {
    const Result refused = sandbox({"--io", "/home:rbps=10m", "--", "echo", "ran"});
    BOOST_TEST(refused.status == 125, refused);
    BOOST_TEST(refused.said("cause: the cgroup controller io is not delegated to you"), refused);
    BOOST_TEST(refused.said("Delegate=cpu cpuset io memory pids"), refused);
    BOOST_TEST(refused.out.empty(), refused);
}

BOOST_AUTO_TEST_CASE(without_the_variables_of_a_session_the_users_bus_is_found) {
    Options options = here();
    options.environment = {{"XDG_RUNTIME_DIR", std::nullopt}, {"DBUS_SESSION_BUS_ADDRESS", std::nullopt}};
    const Result inside = sandbox({"--memory", "64m", "--", "cat", "/proc/self/cgroup"}, options);
    BOOST_TEST(inside.out == "0::/\n", inside);
    BOOST_TEST(hog({"--memory", "64m"}, {"memory", "100"}).status == 128 + SIGKILL);
}

BOOST_AUTO_TEST_CASE(in_a_scope_of_systemd_run_limits_hold_and_what_was_not_delegated_is_not_used) {
    Words words = with_hog({"--memory", "64m"}, {"memory", "128"});
    words.insert(words.begin(),
                 {"systemd-run", "--user", "--scope", "--quiet", "--property=Delegate=yes", sandbox_program()});
    expect_killed_at("64m", 64, run(words, here()));

    // systemd-run has a way of its own to the manager; what is left to us is the scope, and that is the manager's.
    const std::string bus = "/run/user/" + std::to_string(user().uid) + "/bus";
    fs::rename(bus, bus + ".away");
    const Result refused =
        run({"systemd-run", "--user", "--scope", "--quiet", sandbox_program(), "--memory", "64m", "--", "echo", "ran"},
            here());
    fs::rename(bus + ".away", bus);
    expect_refused(refused, "your systemd has no bus");
}

BOOST_AUTO_TEST_CASE(a_bus_that_is_not_the_users_is_not_asked) {
    Options options = here();
    options.environment = {{"XDG_RUNTIME_DIR", "/run/user/0"},
                           {"DBUS_SESSION_BUS_ADDRESS", "unix:path=/run/dbus/system_bus_socket"}};
    const Result plan = sandbox({"--memory", "64m", "--dry-run", "--", "true"}, options);
    BOOST_TEST(plan.printed("asked for over unix:path=/run/user/1000/bus"), plan);
}

BOOST_AUTO_TEST_CASE(strict_has_its_limits_without_a_word) {
    Process running = waiting({"--profile", "strict"});
    const Result limits = sh("cd /sys/fs/cgroup/user.slice/*/user@*/*/sandbox-*.scope/sandbox-*; "
                             "cat memory.max memory.swap.max pids.max cpu.max memory.oom.group");
    BOOST_TEST(limits.out == "2147483648\n0\n512\n200000 100000\n1\n", limits);
    running.write("on\n");
    const Result plain = running.finish();
    BOOST_TEST(plain.err == "", plain);
}

BOOST_AUTO_TEST_CASE(the_record_of_the_end_says_that_memory_ran_out) {
    const Result ended = sandbox(with_hog({"--memory", "32m", "--status-fd", "1"}, {"memory", "64"}));
    BOOST_TEST(ended.printed("\"status\":137,\"signal\":9,\"reason\":\"oom\""), ended);
}

BOOST_AUTO_TEST_CASE(inside_another_sandbox_limits_are_refused_with_their_own_message) {
    const Result refused =
        sandbox({"--profile", "permissive", "--", sandbox_program(), "--net", "none", "--memory", "64m", "--", "true"});
    BOOST_TEST(refused.status == 125, refused);
    BOOST_TEST(refused.said("--memory 64m: cannot limit memory to 64 MiB"), refused);
    BOOST_TEST(refused.said("cause: this is a sandbox or a container"), refused);
    BOOST_TEST(refused.said("fix: "), refused);
}

BOOST_AUTO_TEST_SUITE_END()
