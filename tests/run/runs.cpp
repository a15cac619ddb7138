// Sandboxes that run are recorded, listed, stopped and waited for; no process of anybody else's is ever touched.
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <boost/test/unit_test.hpp>
#include <chrono>
#include <csignal>
#include <fstream>
#include <nlohmann/json.hpp>
#include <random>
#include <sstream>
#include <thread>

#include "core/base/fd.hpp"
#include "tests/support/count.hpp"
#include "tests/support/world.hpp"

using namespace sandbox::test;
namespace fs = std::filesystem;
using Json = nlohmann::json;

namespace {

struct Runs : World {
    Runs() {
        // What stays is there before: the cache of filters, and the registry, which is empty.
        static_cast<void>(sandbox({"--profile", "strict", "true"}, logged_in()));
        before = belongings_at_rest(*this);
    }

    Belongings before;

    [[nodiscard]] fs::path entry(const std::string& name) const { return home / "runtime/sandbox/runs" / name; }

    /// With an input that stays open, for a CMD that waits for a line.
    [[nodiscard]] Options patient() const {
        Options options = logged_in();
        options.keep_input_open = true;
        return options;
    }
    /// `sandbox --profile strict --name NAME OPTIONS -- sh -c SCRIPT`, whose CMD has said that it is there.
    [[nodiscard]] Process running(const std::string& name, const std::string& script, const Words& options = {},
                                  const std::string& traps = "") const {
        Words words = {sandbox_program(), "--quiet", "--profile", "strict", "--name", name};
        words.insert(words.end(), options.begin(), options.end());
        words.insert(words.end(), {"--", "sh", "-c", traps + "echo ready; " + script});
        Process started(words, patient());
        BOOST_REQUIRE(started.wait_for("ready\n"));
        return started;
    }
    [[nodiscard]] Json ps() const {
        const Result listed = ctl({"ps", "--json"});
        BOOST_REQUIRE_MESSAGE(listed.status == 0, listed);
        BOOST_TEST(listed.err.empty(), listed);
        return Json::parse(listed.out);
    }
    /// `sandboxctl wait web` has to be there before the end: it has the status open then.
    static void wait_until_it_waits(const Process& waiter) {
        const std::string descriptors = "/proc/" + std::to_string(waiter.pid()) + "/fd";
        const auto has_opened = [&] {
            std::error_code error;
            for (const auto& open : fs::directory_iterator(descriptors, error)) {
                if (fs::read_symlink(open.path(), error).string().ends_with("web/status")) {
                    return true;
                }
            }
            return false;
        };
        for (int i = 0; i < 60'000 && !has_opened(); ++i) {
            std::this_thread::sleep_for(std::chrono::milliseconds(1));
        }
    }
    void expect_nothing_left() const {
        const Belongings now = belongings_settled(*this, before);
        BOOST_TEST(now == before, now);
    }
};

/// Field 22 of proc_pid_stat(5).
std::string start_time(pid_t pid) {
    std::istringstream fields(read_file("/proc/" + std::to_string(pid) + "/stat"));
    std::string field;
    for (int i = 0; i < 22; ++i) {
        fields >> field; // no blank in the names of what is looked at here
    }
    return field;
}

void edit(const fs::path& path, const std::string& from, const std::string& to) {
    std::string text = read_file(path);
    BOOST_REQUIRE(text.find(from) != std::string::npos);
    text.replace(text.find(from), from.size(), to);
    std::ofstream(path) << text;
}

} // namespace

BOOST_FIXTURE_TEST_SUITE(runs, Runs)

BOOST_AUTO_TEST_CASE(nothing_to_show_is_no_error) {
    const Result none = ctl({"ps", "--json"});
    BOOST_TEST(none.status == 0, none);
    BOOST_TEST(none.out == "[]\n", none);
    BOOST_TEST(ctl({"ps", "--quiet"}).out.empty());
    BOOST_TEST(ctl({"stats", "--once", "--json"}).out.empty());
    BOOST_TEST(ctl({"stop", "--all"}).status == 0);
    Options nowhere = here();
    nowhere.environment["XDG_RUNTIME_DIR"] = "/nonexistent";
    const Result without = ctl({"ps"}, nowhere);
    BOOST_TEST(without.status == 0, without);
    BOOST_TEST(without.printed("NAME"), without);
}

BOOST_AUTO_TEST_CASE(a_run_is_listed_with_what_it_is) {
    Process run = running("web", "read line", {"--share", "uts"});
    const Json rows = ps();
    BOOST_REQUIRE(rows.size() == 1U);
    const Json& row = rows[0];
    BOOST_TEST(row["name"] == "web");
    BOOST_TEST(row["profile"] == "strict");
    BOOST_TEST(row["command"] == Json({"sh", "-c", "echo ready; read line"}));
    BOOST_TEST(row["supervisor"]["pid"] == run.pid());
    BOOST_TEST(std::to_string(row["supervisor"]["start_time"].get<long>()) == start_time(run.pid()));
    const std::string init = std::to_string(row["init"]["pid"].get<int>());
    BOOST_TEST(read_file("/proc/" + init + "/comm") == "sandbox-init\n");
    BOOST_TEST("uts:[" + std::to_string(row["namespaces"]["uts"].get<long>()) + "]" ==
               fs::read_symlink("/proc/self/ns/uts").string());
    BOOST_TEST("net:[" + std::to_string(row["namespaces"]["net"].get<long>()) + "]" !=
               fs::read_symlink("/proc/self/ns/net").string());
    BOOST_TEST(row["pids"] == 2);
    BOOST_TEST(row["memory"] > 0);
    BOOST_TEST(row["state"] == "running");
    BOOST_TEST(row["detached"] == false);
    BOOST_TEST(row["network"] == "none");
    BOOST_TEST(row["received_bytes"] == nullptr);
    BOOST_TEST(ctl({"ps", "--quiet"}).out == "web\n");
    const Result table = ctl({"ps"});
    BOOST_TEST(table.printed("web   strict   sh -c 'echo ready; read line'"), table);
    run.write("\n");
    BOOST_TEST(run.finish().status == 0);
    BOOST_TEST(ps().empty());
    expect_nothing_left();
}

BOOST_AUTO_TEST_CASE(a_run_without_a_name_has_one_after_its_command) {
    Process run({sandbox_program(), "--profile", "strict", "--", "sh", "-c", "echo ready; read line"}, patient());
    BOOST_REQUIRE(run.wait_for("ready\n"));
    const Json rows = ps();
    BOOST_REQUIRE(rows.size() == 1U);
    BOOST_TEST(rows[0]["name"].get<std::string>().starts_with("sh-"));
}

BOOST_AUTO_TEST_CASE(two_runs_of_one_name_are_refused_and_a_name_without_a_place_to_record_it_too) {
    Process run = running("web", "read line");
    const Result second = sandbox({"--profile", "strict", "--name", "web", "true"}, logged_in());
    BOOST_TEST(second.status == 125, second);
    BOOST_TEST(second.said("a sandbox 'web' runs already"), second);
    Options nowhere = here();
    nowhere.environment["XDG_RUNTIME_DIR"] = "/nonexistent";
    const Result named = sandbox({"--profile", "strict", "--name", "web", "true"}, nowhere);
    BOOST_TEST(named.status == 125, named);
    BOOST_TEST(named.said("cannot use the directory of running sandboxes"), named);
    BOOST_TEST(sandbox({"--profile", "strict", "true"}, nowhere).status == 0);
}

BOOST_AUTO_TEST_CASE(what_cmd_calls_itself_does_not_reach_the_terminal_as_it_is) {
    Process run({sandbox_program(), "--profile", "strict", "--name", "odd", "--", "sh", "-c", "echo ready; read line",
                 "\x1b]0;owned\x07\nodd strict forged\xff"},
                patient());
    BOOST_REQUIRE(run.wait_for("ready\n"));
    const Result table = ctl({"ps"});
    BOOST_TEST(table.out.find('\x1b') == std::string::npos, table);
    BOOST_TEST(std::ranges::count(table.out, '\n') == 2, table);
    const Result json = ctl({"ps", "--json"});
    BOOST_TEST(json.out.find('\x1b') == std::string::npos, json);
}

BOOST_AUTO_TEST_CASE(the_registry_is_never_visible_inside) {
    Process run = running("web", "read line");
    BOOST_TEST(fs::exists(entry("web") / "record")); // the control
    const std::string path = (home / "runtime").string();
    const Words look = {"sh", "-c", "ls -A " + path + " && ls -A " + path + "/sandbox"};
    const Result granted =
        sandbox({"--quiet", "--profile", "permissive", "--", look[0], look[1], look[2]}, logged_in());
    BOOST_TEST(!granted.printed("web"), granted);
    BOOST_TEST(!granted.printed("sandbox\n"), granted);
    for (const char* option : {"--ro", "--rw", "--overlay"}) {
        for (const std::string& place : {path, path + "/sandbox", path + "/sandbox/runs/web"}) {
            const Result refused = sandbox({option, place, "true"}, logged_in());
            BOOST_TEST(refused.status == 125, refused);
            BOOST_TEST(refused.said("cannot show"), refused);
        }
    }
}

BOOST_AUTO_TEST_CASE(figures_are_those_of_the_tree) {
    Process run = running("busy", "sh -c 'while :; do :; done' & sleep 1000 & wait");
    Json row;
    for (long used = 0; used < 200'000;) {
        const Result sample = ctl({"stats", "--once", "--json", "busy"});
        BOOST_REQUIRE_MESSAGE(sample.status == 0, sample);
        row = Json::parse(sample.out);
        BOOST_REQUIRE(row["cpu_usec"] >= used);
        used = row["cpu_usec"];
    }
    BOOST_TEST(row["pids"] == 4); // pid 1, sh, sh, sleep
    BOOST_TEST(row["cpu_percent"] > 1.0);
    const Result table = ctl({"stats", "--once"});
    BOOST_TEST(table.printed("busy"), table);
    BOOST_TEST(ctl({"stop", "--time", "0", "busy"}).status == 0);
}

BOOST_AUTO_TEST_CASE(stats_of_named_runs_end_with_them) {
    Process run = running("short", "read line");
    Process stats({sandboxctl_program(), "stats", "--json", "short"}, logged_in());
    BOOST_REQUIRE(stats.wait_for("\"name\":\"short\""));
    run.write("\n");
    BOOST_TEST(run.finish().status == 0);
    const Result ended = stats.finish();
    BOOST_TEST(ended.status == 0, ended);
}

BOOST_AUTO_TEST_CASE(traffic_is_counted_on_the_sandboxs_own_interface) {
    NEEDS(installed("slirp4netns") && fs::exists("/dev/net/tun"), "slirp4netns or /dev/net/tun is missing");
    Process run({sandbox_program(), "--quiet", "--profile", "default", "--name", "net", "--", "bash", "-c",
                 "echo ready; while read line; do for i in $(seq 100); do echo 0123456789 >/dev/udp/10.0.2.2/9; done; "
                 "echo sent $line; done"},
                patient());
    BOOST_REQUIRE(run.wait_for("ready\n"));
    const long before_all = ps()[0]["sent_packets"];
    Json after;
    // What waits for the router's address comes later, and not all of it.
    for (int i = 0; i < 50 && (after.is_null() || after["sent_packets"] < before_all + 100); ++i) {
        run.write(std::to_string(i) + "\n");
        BOOST_REQUIRE(run.wait_for("sent " + std::to_string(i) + "\n"));
        after = ps()[0];
    }
    BOOST_TEST(after["sent_packets"] >= before_all + 100);
    BOOST_TEST(after["sent_bytes"] > 100 * 11);
    BOOST_TEST(after["received_packets"].is_number());
}

BOOST_AUTO_TEST_CASE(stats_of_a_run_count_its_traffic) {
    NEEDS(installed("slirp4netns") && fs::exists("/dev/net/tun"), "slirp4netns or /dev/net/tun is missing");
    // What waits for the router's address comes later, and not all of it: on until the interface has counted enough.
    const std::string send = "until [ $(awk '/tap0:/ { print $11 }' /proc/net/dev) -ge 60 ]; do "
                             "echo 0123456789 >/dev/udp/10.0.2.2/9; done";
    const auto used = [&](const Words& options, const std::string& script) {
        Words words = {"--quiet", "--profile", "default", "--stats=json"};
        words.insert(words.end(), options.begin(), options.end());
        words.insert(words.end(), {"--", "bash", "-c", script});
        const Result ended = sandbox(words);
        return Json::parse(ended.err.substr(ended.err.find("{\"wall_usec\"")));
    };
    BOOST_TEST(used({}, send)["sent_packets"] >= 50);
    BOOST_TEST(used({}, "true")["sent_packets"] < 50); // the control: the router is asked for, and no more
    BOOST_TEST(used({"--net", "none"}, "true")["sent_packets"] == nullptr);
    const Json killed = used({"--timeout", "1s"}, "trap '' TERM; " + send + "; kill -KILL $$");
    BOOST_TEST(killed["sent_packets"] >= 50);
}

BOOST_AUTO_TEST_CASE(rows_are_whole_while_sandboxes_start_and_end) {
    Process steady = running("steady", "read line");
    const int init = ps()[0]["init"]["pid"];
    const std::string stop_file = (project / "stop").string();
    const std::string loop = "n=0; while ! [ -e " + stop_file + " ]; do n=$((n+1)); " + sandbox_program() +
                             " --quiet --profile strict --name s$1-$n -- sh -c 'sleep 0.0'$((n * 7 % 10)) s$1-$n || "
                             "echo failed; done; echo $n";
    std::vector<Process> shells;
    for (int i = 1; i <= 4; ++i) {
        shells.emplace_back(Words{"sh", "-c", loop, "sh", std::to_string(i)}, logged_in());
    }
    int seen = 0;
    for (int look = 0; look < rounds(200); ++look) {
        bool has_steady = false;
        for (const Json& row : ps()) {
            const std::string name = row["name"];
            if (name == "steady") {
                has_steady = row["init"]["pid"] == init && row["pids"] == 2;
                continue;
            }
            ++seen;
            BOOST_TEST(row["command"].back() == name);
            BOOST_TEST(row["init"]["pid"] > 1);
            BOOST_TEST(row["supervisor"]["pid"] > 1);
            BOOST_TEST(row["init"]["start_time"] > 0);
            BOOST_TEST((row["state"] == "ending" || row["memory"] != nullptr), row.dump());
        }
        BOOST_TEST(has_steady, "look " << look);
    }
    write(stop_file, "");
    for (Process& shell : shells) {
        const Result ended = shell.finish();
        BOOST_TEST(!ended.printed("failed"), ended);
        BOOST_TEST(ended.err.empty(), ended);
    }
    BOOST_TEST(seen > 0);
    steady.write("\n");
    BOOST_TEST(steady.finish().status == 0);
    BOOST_TEST(ps().empty());
    expect_nothing_left();
}

BOOST_AUTO_TEST_CASE(a_run_whose_supervisor_was_killed_is_not_listed_and_its_record_is_cleared) {
    Process run = running("web", "sleep 27182");
    run.signal(SIGKILL);
    static_cast<void>(run.finish());
    BOOST_TEST(ps().empty());
    BOOST_TEST(!fs::exists(entry("web")));
    expect_nothing_left();
    Process again = running("web", "read line"); // its name is free
}

BOOST_AUTO_TEST_CASE(a_run_without_its_pid_1_is_listed_as_ending) {
    Process run = running("web", "sleep 27182");
    const Json row = ps()[0];
    BOOST_TEST(row["state"] == "running");
    run.signal(SIGSTOP); // so that it does not clear up
    const std::string init = std::to_string(row["init"]["pid"].get<pid_t>());
    BOOST_REQUIRE(
        sh("kill -KILL " + init + " && while grep -q '^State:.[RSDT]' /proc/" + init + "/status; do :; done").status ==
        0);
    const Json rows = ps();
    BOOST_REQUIRE(rows.size() == 1U);
    BOOST_TEST(rows[0]["state"] == "ending");
    BOOST_TEST(ctl({"ps", "--all"}).printed("ending"));
    run.signal(SIGCONT);
    static_cast<void>(run.finish());
    expect_nothing_left();
}

BOOST_AUTO_TEST_CASE(a_process_that_has_a_recorded_number_is_never_touched) {
    Process victim({"sleep", "27182"}, here());
    std::string record;
    {
        const Process run = running("real", "read line");
        record = read_file(entry("real") / "record");
    }
    Json forged = Json::parse(record);
    const auto forge = [&](const std::string& time) {
        static_cast<void>(ctl({"ps"})); // clears what was there
        directory(entry("ghost"), 0700);
        const std::string identity = std::to_string(victim.pid()) + "." + time;
        fs::create_symlink(identity, entry("ghost") / "supervisor");
        for (const char* who : {"supervisor", "init"}) {
            forged[who] = {{"pid", victim.pid()}, {"start_time", std::stol(time)}};
        }
        forged["name"] = "ghost";
        write(entry("ghost") / "record", forged.dump());
        write(entry("ghost") / "status", "");
    };
    const std::string time = start_time(victim.pid());
    const std::string another = std::to_string(std::stol(time) - 1);
    const auto lives = [&] { return start_time(victim.pid()) == time && ::kill(victim.pid(), 0) == 0; };
    const std::vector<Words> attacks = {{"stop", "--time", "0", "ghost"},
                                        {"kill", "ghost"},
                                        {"kill", "--signal", "USR1", "ghost"},
                                        {"stop", "--all"},
                                        {"wait", "ghost"}};
    // The supervisor was killed: nobody holds the entry.
    for (const Words& attack : attacks) {
        forge(another);
        const Result refused = ctl(attack);
        BOOST_TEST((refused.status == 125 || attack.back() == "--all"), refused);
        BOOST_TEST(lives());
        forge(time);
        static_cast<void>(ctl(attack));
        BOOST_TEST(lives());
    }
    // Somebody does hold it.
    for (const Words& attack : {attacks[0], attacks[1]}) {
        forge(another);
        const sandbox::Fd lock(::open(entry("ghost").c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
        BOOST_REQUIRE(::flock(lock.get(), LOCK_EX) == 0);
        const Result refused = ctl(attack);
        BOOST_TEST(refused.said("cannot see the supervisor"), refused);
        BOOST_TEST(lives());
    }
    // The control: it is the start time that keeps it from harm.
    forge(time);
    sandbox::Fd lock(::open(entry("ghost").c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    BOOST_REQUIRE(::flock(lock.get(), LOCK_EX) == 0);
    Process control({sandboxctl_program(), "kill", "ghost"}, logged_in());
    BOOST_TEST(victim.finish().status > 128); // as the supervisor; as pid 1 it would have to be that one's child
    lock.reset();                             // as the end of a supervisor does
    BOOST_TEST(control.finish().status == 0);
}

BOOST_AUTO_TEST_CASE(a_process_that_is_no_child_of_the_supervisor_is_not_taken_for_pid_1) {
    Process run = running("web", "sleep 27182");
    Process stranger({"sleep", "27182"}, here());
    Json record = Json::parse(read_file(entry("web") / "record"));
    record["init"] = {{"pid", stranger.pid()}, {"start_time", std::stol(start_time(stranger.pid()))}};
    write(entry("web") / "record", record.dump());
    // The control: the run ends.
    BOOST_TEST(ctl({"kill", "web"}).status == 0);
    BOOST_TEST(!run.finish().hung);
    BOOST_TEST(::kill(stranger.pid(), 0) == 0);
    stranger.signal(SIGTERM);
    BOOST_TEST(stranger.finish().status == 128 + SIGTERM); // and no other signal came before
}

BOOST_AUTO_TEST_CASE(a_record_of_another_version_is_told) {
    Process run = running("web", "read line");
    edit(entry("web") / "record", "\"record\":1", "\"record\":2");
    const Result listed = ctl({"ps", "--json"});
    BOOST_TEST(listed.status == 0, listed);
    BOOST_TEST(listed.said("sandboxctl: cannot read the record of the sandbox 'web'"), listed);
    // It can be ended all the same.
    BOOST_TEST(ctl({"stop", "web"}).status == 0);
    static_cast<void>(run.finish());
    expect_nothing_left();
}

BOOST_AUTO_TEST_CASE(a_record_that_is_written_while_ps_looks_is_not_told_as_another_versions) {
    NEEDS(installed("strace"), "strace is not installed");
    Process started = running("web", "read line");
    // Not there at the first look, and there at any later one.
    const Result listed =
        sandbox::test::run({"strace", "-o", "/dev/null", "-P", "record", "-e", "trace=openat", "-e",
                            "inject=openat:error=ENOENT:when=1", sandboxctl_program(), "ps", "--json"},
                           logged_in());
    BOOST_TEST(listed.status == 0, listed);
    BOOST_TEST(listed.out == "[]\n", listed); // the injection was met
    BOOST_TEST(listed.err.empty(), listed);
    started.write("\n");
    BOOST_TEST(started.finish().status == 0);
}

BOOST_AUTO_TEST_CASE(stop_asks_cmd_to_end) {
    Process run = running("web", "sleep 27182 & wait", {}, "trap 'echo asked; exit 3' TERM; ");
    const Result stopped = ctl({"stop", "web"});
    BOOST_TEST(stopped.status == 0, stopped);
    BOOST_TEST(!fs::exists(entry("web")));
    const Result ended = run.finish();
    BOOST_TEST(ended.printed("asked"), ended);
    BOOST_TEST(ended.status == 3, ended);
    expect_nothing_left();
}

BOOST_AUTO_TEST_CASE(stop_kills_all_of_what_does_not_end_and_comes_back_when_nothing_is_left) {
    for (const Words& options : {Words{}, Words{"--share", "pid"}}) {
        Process run = running("deaf", "sleep 27182 & wait; wait", options,
                              "trap '' TERM; (trap '' HUP INT; setsid sleep 27182 & ) ; ");
        const Result stopped = ctl({"stop", "--time", "300ms", "deaf"});
        BOOST_TEST(stopped.status == 0, stopped);
        BOOST_TEST(!fs::exists(entry("deaf")));
        BOOST_TEST(sh("pgrep -f 'sleep 2718[2]' || echo none").printed("none"));
        BOOST_TEST(run.finish().status == 128 + SIGKILL);
    }
    expect_nothing_left();
}

BOOST_AUTO_TEST_CASE(stop_sends_the_signal_that_is_wanted_or_the_images) {
    const std::string script = "sleep 27182 & wait";
    const std::string traps = "trap 'echo hup; exit 1' HUP; trap 'echo usr1; exit 1' USR1; ";
    for (const char* word : {"HUP", "sighup", "1"}) {
        Process run = running("web", script, {}, traps);
        BOOST_TEST(ctl({"stop", "--signal", word, "web"}).status == 0, word);
        BOOST_TEST(run.finish().printed("hup"), word);
    }
    Process run = running("web", script, {}, traps);
    edit(entry("web") / "record", "\"stop_signal\":\"\"", "\"stop_signal\":\"SIGUSR1\"");
    BOOST_TEST(ctl({"stop", "web"}).status == 0);
    BOOST_TEST(run.finish().printed("usr1"));
}

BOOST_AUTO_TEST_CASE(several_are_stopped_side_by_side_and_one_that_is_not_known_is_told) {
    const std::string script = "while :; do sleep 1000 & wait; done";
    std::vector<Process> all;
    for (const char* name : {"one", "two", "three"}) {
        all.push_back(running(name, script, {}, "trap 'echo asked' TERM; "));
    }
    const Result partly = ctl({"stop", "--time", "500ms", "one", "twoo"});
    BOOST_TEST(partly.status == 125, partly);
    BOOST_TEST(partly.said("sandboxctl: no sandbox 'twoo' runs\n  fix: did you mean 'two'?"), partly);
    BOOST_TEST(ctl({"ps", "--quiet"}).out == "three\ntwo\n");
    BOOST_TEST(ctl({"stop", "--time", "500ms", "two", "two"}).status == 0);
    BOOST_TEST(ctl({"ps", "--quiet"}).out == "three\n");
    BOOST_TEST(ctl({"stop", "--time", "500ms", "--all"}).status == 0);
    for (Process& run : all) {
        BOOST_TEST(run.finish().printed("asked"));
    }
    BOOST_TEST(ps().empty());
    BOOST_TEST(ctl({"stop"}).status == 125);
    BOOST_TEST(ctl({"stop", "--all", "one"}).status == 125);
    expect_nothing_left();
}

BOOST_AUTO_TEST_CASE(a_name_that_is_gone_keeps_no_verb_from_the_others) {
    for (const Words& verb : {Words{"kill"}, Words{"wait"}, Words{"stats", "--once", "--json"}}) {
        Process run = running("web", "read line");
        Words words = {sandboxctl_program()};
        words.insert(words.end(), verb.begin(), verb.end());
        words.insert(words.end(), {"web-2", "web", "web-3"});
        Process asked(words, logged_in());
        if (verb.front() == "wait") {
            wait_until_it_waits(asked);
            run.write("\n");
            BOOST_TEST(run.finish().status == 0);
        }
        const Result done = asked.finish();
        BOOST_TEST(done.status == 125, done);
        for (const char* gone : {"'web-2'", "'web-3'"}) {
            BOOST_TEST(done.said(gone), done);
        }
        BOOST_TEST(!done.said("did you mean"), done); // it is on the command line already
        if (verb.front() == "stats") {
            BOOST_TEST(done.printed("\"name\":\"web\""), done);
            run.write("\n");
            BOOST_TEST(run.finish().status == 0);
        }
        if (verb.front() == "kill") {
            BOOST_TEST(run.finish().status == 128 + SIGKILL);
        }
    }
    expect_nothing_left();
}

BOOST_AUTO_TEST_CASE(what_is_stopped_by_a_signal_is_ended_too) {
    for (const char* verb : {"stop", "kill"}) {
        Process run = running("web", "sleep 27182");
        run.signal(SIGSTOP);
        const Result stopped = ctl({verb, "web"});
        BOOST_TEST(stopped.status == 0, stopped);
        BOOST_TEST(run.finish().status == (verb == std::string("stop") ? 128 + SIGTERM : 128 + SIGKILL));
    }
    Process run = running("web", "kill -STOP $$");
    BOOST_TEST(ctl({"stop", "web"}).status == 0);
    BOOST_TEST(run.finish().status == 128 + SIGTERM);
    expect_nothing_left();
}

BOOST_AUTO_TEST_CASE(a_run_is_stopped_and_killed_at_any_moment_of_its_start) {
    std::mt19937 random(9);
    for (int i = 0; i < rounds(60); ++i) {
        Process run({sandbox_program(), "--quiet", "--profile", "strict", "--name", "web", "--", "sleep", "27182"},
                    logged_in());
        std::this_thread::sleep_for(std::chrono::microseconds(std::uniform_int_distribution<long>(0, 25'000)(random)));
        const Words attack = i % 2 == 0 ? Words{"stop", "web"} : Words{"kill", "web"};
        Result ended = ctl(attack);
        while (ended.said("no sandbox 'web' runs")) {
            ended = ctl(attack); // too early
        }
        BOOST_TEST(ended.status == 0, ended);
        BOOST_TEST(!fs::exists(entry("web")), "run " << i);
        BOOST_TEST(!run.finish().hung, "run " << i);
    }
    expect_nothing_left();
}

BOOST_AUTO_TEST_CASE(kill_ends_all_at_once_or_sends_cmd_a_signal) {
    Process run = running("web", "while :; do sleep 1000 & wait; done", {}, "trap 'echo got it' USR1; trap '' TERM; ");
    BOOST_TEST(ctl({"kill", "--signal", "USR1", "web"}).status == 0);
    BOOST_TEST(run.wait_for("got it"));
    for (const char* word : {"SEGV", "STOP", "CHLD", "0", "65", "NONE", ""}) {
        const Result refused = ctl({"kill", "--signal", word, "web"});
        BOOST_TEST(refused.status == 125, refused);
        BOOST_TEST(refused.said("--signal: "), refused);
    }
    BOOST_TEST(ps().size() == 1U);
    BOOST_TEST(ctl({"kill", "web"}).status == 0);
    BOOST_TEST(ps().empty());
    const Result ended = run.finish();
    BOOST_TEST(ended.status == 128 + SIGKILL, ended);
    BOOST_TEST(ended.said("was killed"), ended);
    expect_nothing_left();
}

BOOST_AUTO_TEST_CASE(wait_ends_as_cmd_did) {
    for (const auto& [script, status] :
         {std::pair<std::string, int>{"read line; exit 7", 7}, {"read line; kill -KILL $$", 128 + SIGKILL}}) {
        Process run = running("web", script);
        Process waiter({sandboxctl_program(), "wait", "web"}, logged_in());
        wait_until_it_waits(waiter);
        run.write("\n");
        BOOST_TEST(run.finish().status == status);
        const Result waited = waiter.finish();
        BOOST_TEST(waited.status == status, waited);
    }
    BOOST_TEST(ctl({"wait", "web"}).status == 125);
}

BOOST_AUTO_TEST_CASE(wait_tells_where_the_end_cannot_be_learned) {
    Process run = running("web", "sleep 27182");
    Process waiter({sandboxctl_program(), "wait", "web"}, logged_in());
    wait_until_it_waits(waiter);
    run.signal(SIGKILL);
    static_cast<void>(run.finish());
    const Result waited = waiter.finish();
    BOOST_TEST(waited.status == 125, waited);
    BOOST_TEST(waited.said("cannot learn how the sandbox 'web' ended"), waited);
    expect_nothing_left();
}

BOOST_AUTO_TEST_SUITE_END()
