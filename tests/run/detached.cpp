// Detached sandboxes: they run on without their caller, their output is logged, their end is kept until it is removed.
#include <sys/mount.h>
#include <unistd.h>

#include <boost/test/unit_test.hpp>
#include <csignal>
#include <nlohmann/json.hpp>
#include <thread>

#include "tests/support/count.hpp"
#include "tests/support/world.hpp"

using namespace sandbox::test;
namespace fs = std::filesystem;
using Json = nlohmann::json;

namespace {

struct Detached : World {
    Detached() {
        static_cast<void>(sandbox({"--profile", "strict", "true"}, logged_in())); // the cache of filters, the registry
        before = belongings_at_rest(*this);
    }
    ~Detached() {
        // Whatever a failed case left.
        for (const std::string name : {"web", "other"}) {
            static_cast<void>(ctl({"kill", name}));
        }
    }
    Detached(const Detached&) = delete;
    Detached& operator=(const Detached&) = delete;

    Belongings before;

    [[nodiscard]] fs::path entry(const std::string& name) const { return home / "runtime/sandbox/runs" / name; }
    /// `sandbox --detach --name web OPTIONS -- sh -c SCRIPT`
    [[nodiscard]] Result detach(const std::string& script, const Words& options = {}) const {
        Words words = {"--quiet", "--profile", "strict", "--detach", "--name", "web"};
        words.insert(words.end(), options.begin(), options.end());
        words.insert(words.end(), {"--", "sh", "-c", script});
        return sandbox(words, logged_in());
    }
    [[nodiscard]] Json row() const {
        const Json rows = Json::parse(ctl({"ps", "--all", "--json"}).out);
        BOOST_REQUIRE(rows.size() == 1U);
        return rows[0];
    }
    /// Waits until the log holds `text`: the supervisor writes it when CMD has.
    [[nodiscard]] bool logged(const std::string& text) const {
        for (int i = 0; i < 400; ++i) {
            if (ctl({"logs", "web"}).printed(text)) {
                return true;
            }
            std::this_thread::sleep_for(std::chrono::milliseconds(20));
        }
        return false;
    }
    void expect_nothing_left() const {
        const Belongings now = belongings_settled(*this, before);
        BOOST_TEST(now == before, now);
    }
};

std::uintmax_t size_of(const fs::path& directory) {
    std::uintmax_t size = 0;
    for (const auto& file : fs::directory_iterator(directory)) {
        size += fs::is_regular_file(file.symlink_status()) ? fs::file_size(file.path()) : 0;
    }
    return size;
}

} // namespace

BOOST_FIXTURE_TEST_SUITE(detached, Detached)

BOOST_AUTO_TEST_CASE(it_runs_on_and_its_name_status_and_log_stay_until_they_are_removed) {
    const Result started = detach("echo out; echo err >&2; read line; echo \"read: $?\"; kill -TSTP $PPID 2>/dev/null; "
                                  "sleep 0.2; exit 3");
    BOOST_TEST(started.status == 0, started);
    BOOST_TEST(started.out == "web\n", started);
    BOOST_TEST(!started.hung);
    const Result waited = ctl({"wait", "web"});
    BOOST_TEST(waited.status == 3, waited);
    const Result again = ctl({"wait", "web"});
    BOOST_TEST(again.status == 3, again);
    const Json kept = row();
    BOOST_TEST(kept["state"] == "ended");
    BOOST_TEST(kept["status"] == 3);
    BOOST_TEST(kept["reason"] == "exit");
    BOOST_TEST(kept["lost_bytes"] == 0);
    BOOST_TEST(Json::parse(ctl({"ps", "--json"}).out).empty());
    const Result logs = ctl({"logs", "web"});
    BOOST_TEST(logs.out == "out\nread: 1\n", logs);
    BOOST_TEST(logs.err == "err\n", logs);
    const Result taken = detach("true");
    BOOST_TEST(taken.status == 125, taken);
    BOOST_TEST(taken.said("sandboxctl remove web"), taken);
    for (const Words& verb :
         {Words{"stop", "web"}, Words{"kill", "web"}, Words{"stats", "--once", "web"}, Words{"exec", "web", "true"}}) {
        const Result ended = ctl(verb);
        BOOST_TEST(ended.status == 125, ended);
        BOOST_TEST(ended.said("the sandbox 'web' has ended"), ended);
        for (const char* fix : {"sandboxctl ps --all", "sandboxctl logs web", "sandboxctl remove web"}) {
            BOOST_TEST(ended.said(fix), ended);
        }
    }
    const Result removed = ctl({"remove", "other", "web"});
    BOOST_TEST(removed.status == 125, removed);
    BOOST_TEST(removed.said("there is no sandbox 'other'"), removed);
    BOOST_TEST(ctl({"remove", "web"}).status == 125);
    BOOST_TEST(ctl({"logs", "web"}).status == 125);
    expect_nothing_left();
}

BOOST_AUTO_TEST_CASE(a_start_that_fails_is_told_and_leaves_nothing) {
    const Result missing = sandbox({"--quiet", "--detach", "--profile", "strict", "no-such-command"}, logged_in());
    BOOST_TEST(missing.status == 127, missing);
    BOOST_TEST(missing.said("sandbox: cannot execute 'no-such-command'"), missing);
    BOOST_TEST(missing.out.empty(), missing);
    Options nowhere = here();
    nowhere.environment["XDG_RUNTIME_DIR"] = "/nonexistent";
    const Result unrecorded = sandbox({"--quiet", "--detach", "--profile", "strict", "true"}, nowhere);
    BOOST_TEST(unrecorded.status == 125, unrecorded);
    BOOST_TEST(unrecorded.said("cannot use the directory of running sandboxes"), unrecorded);
    for (const Words& words : {Words{"--detach", "--tty", "true"}, Words{"--log-size", "1m", "true"},
                               Words{"--detach", "--log-size", "1k", "true"}}) {
        const Result refused = sandbox(words, logged_in());
        BOOST_TEST(refused.status == 125, refused);
    }
    BOOST_TEST(ctl({"ps", "--all", "--quiet"}).out.empty());
    expect_nothing_left();
}

BOOST_AUTO_TEST_CASE(the_steps_of_a_verbose_run_are_in_its_log) {
    BOOST_TEST(detach("true", {"--verbose"}).status == 0);
    BOOST_TEST(ctl({"wait", "web"}).status == 0);
    const Result logs = ctl({"logs", "web"});
    BOOST_TEST(logs.said("sandbox: the steps of this run"), logs);
    BOOST_TEST(logs.said("enter the new root"), logs); // a step of the child's
    BOOST_TEST(ctl({"remove", "web"}).status == 0);
}

BOOST_AUTO_TEST_CASE(a_run_whose_name_cannot_be_printed_is_no_run_that_failed) {
    const Result started = run({"sh", "-c",
                                sandbox_program() + " --quiet --profile strict --detach --name web -- sleep 27182 "
                                                    ">/dev/full"},
                               logged_in());
    BOOST_TEST(started.status == 1, started);
    BOOST_TEST(started.said("sandbox: the sandbox 'web' runs, but its name could not be printed: No space"), started);
    BOOST_TEST(row()["state"] == "running");
    BOOST_TEST(ctl({"kill", "web"}).status == 0);
    BOOST_TEST(ctl({"remove", "web"}).status == 0);
}

BOOST_AUTO_TEST_CASE(a_limit_of_the_callers_that_keeps_it_from_starting_is_named) {
    const auto limited = [&](const std::string& limit) {
        return run(
            {"sh", "-c", limit + "; " + sandbox_program() + " --quiet --profile strict --detach --name web -- true"},
            logged_in());
    };
    const Result sizes = limited("ulimit -f 0");
    BOOST_TEST(sizes.status == 125, sizes);
    BOOST_TEST(sizes.said("cannot make the log of the sandbox: File too large"), sizes);
    BOOST_TEST(sizes.said("ulimit -f unlimited"), sizes);
    const Result files = limited("ulimit -n 32");
    BOOST_TEST(files.status == 125, files);
    BOOST_TEST(files.said("ulimit -n"), files);
    expect_nothing_left();
}

BOOST_AUTO_TEST_CASE(records_for_programs_are_those_of_any_run) {
    const Result started = run({"sh", "-c",
                                sandbox_program() +
                                    " --quiet --detach --name web --profile strict --status-fd 3 -- sh -c "
                                    "'exit 4' 3>status; cat status; echo -; " +
                                    sandboxctl_program() + " wait web; echo $?; cat status"},
                               logged_in());
    BOOST_TEST(started.printed("\"event\":\"started\""), started);
    BOOST_TEST(started.printed("\"event\":\"ended\",\"status\":4"), started);
    const Result failed =
        run({"sh", "-c",
             sandbox_program() + " --quiet --detach --profile strict --status-fd 3 -- nosuch 3>status; "
                                 "grep -c failed status"},
            logged_in());
    BOOST_TEST(failed.printed("1\n"), failed);
    BOOST_TEST(ctl({"prune"}).out == "web\n");
}

BOOST_AUTO_TEST_CASE(it_outlives_the_session_and_the_terminal_of_its_caller) {
    // The caller's output is a pipe that somebody waits for the end of, and its group is killed.
    const Result started = run({"sh", "-c",
                                sandbox_program() + " --quiet --detach --name web --profile strict -- sh -c "
                                                    "'echo on; sleep 27182'; kill -HUP 0; kill -KILL 0"},
                               logged_in());
    BOOST_TEST(!started.hung);
    const Json running = row();
    BOOST_TEST(running["state"] == "running");
    const std::string supervisor = "/proc/" + std::to_string(running["supervisor"]["pid"].get<int>());
    BOOST_TEST(fs::read_symlink(supervisor + "/fd/0").string() == "/dev/null");
    BOOST_TEST(fs::read_symlink(supervisor + "/cwd").string() == "/");
    BOOST_TEST(ctl({"remove", "web"}).said("it runs"));
    BOOST_TEST(ctl({"stop", "web"}).status == 0);
    BOOST_TEST(row()["status"] == 128 + SIGTERM);
    BOOST_TEST(ctl({"prune"}).out == "web\n");
    expect_nothing_left();
}

BOOST_AUTO_TEST_CASE(logs_follow_until_the_end) {
    BOOST_TEST(
        detach("echo one; while ! [ -e go ]; do sleep 0.05; done; printf two", {"--ro", project.string()}).status == 0);
    Process follower({sandboxctl_program(), "logs", "--follow", "web"}, logged_in());
    BOOST_TEST(follower.wait_for("one\n"));
    write(project / "go", "");
    const Result followed = follower.finish();
    BOOST_TEST(followed.status == 0, followed);
    BOOST_TEST(followed.out == "one\ntwo", followed);
    BOOST_TEST(ctl({"logs", "--tail", "1", "web"}).out == "two");
    BOOST_TEST(ctl({"logs", "--tail", "0", "web"}).out.empty());
    BOOST_TEST(ctl({"logs", "--tail", "9", "web"}).out == "one\ntwo");
    BOOST_TEST(ctl({"logs", "--since", "1d", "web"}).out == "one\ntwo");
    BOOST_TEST(ctl({"logs", "--since", "2035-01-01", "web"}).out.empty());
    const Result stamped = ctl({"logs", "--timestamps", "web"});
    BOOST_TEST(stamped.printed("Z one\n"), stamped);
    BOOST_TEST(ctl({"logs", "--tail", "x", "web"}).status == 125);
    BOOST_TEST(ctl({"logs", "--since", "x", "web"}).status == 125);
    for (const char* date : {"2026-13-45", "2026-11-29T23", "2026-02-30", "2026-02-30Z", "29/11/2026", "12:00"}) {
        const Result refused = ctl({"logs", "--since", date, "web"});
        BOOST_TEST(refused.status == 125, refused);
        BOOST_TEST(refused.said(std::string("cannot read the time '") + date), refused);
        BOOST_TEST(refused.said("fix: write it as 2026-11-29"), refused);
    }
    const Result duration = ctl({"logs", "--since", "10x", "web"});
    BOOST_TEST(duration.said("cannot read the duration '10x'"), duration);
    BOOST_TEST(ctl({"remove", "web"}).status == 0);
}

BOOST_AUTO_TEST_CASE(a_log_stays_within_its_size_and_never_blocks_cmd) {
    const int megabytes = rounds(200);
    const Result started = detach(
        "head -c " + std::to_string(megabytes) + "000000 /dev/zero | tr '\\0' '\\n'; echo end", {"--log-size", "256k"});
    BOOST_TEST(started.status == 0, started);
    BOOST_TEST(ctl({"wait", "web"}).status == 0);
    BOOST_TEST(size_of(entry("web")) < 400'000U); // the filter and the record beside it
    const Result logs = ctl({"logs", "web"});
    BOOST_TEST(logs.out.ends_with("\n\nend\n"));
    BOOST_TEST(logs.out.size() > 200'000U);
    BOOST_TEST(logs.said("were dropped"), logs.err);
    BOOST_TEST(ctl({"remove", "web"}).status == 0);
}

BOOST_AUTO_TEST_CASE(a_full_disk_under_the_log_does_not_stop_cmd_and_the_loss_is_told) {
    NEEDS(started_by_root(), "only root can mount a small disk");
    const fs::path disk = directory(home / "runtime", 0700);
    const ScopedMount small(
        "tmpfs", disk, 0, "size=1m,mode=0700,uid=" + std::to_string(user().uid) + ",gid=" + std::to_string(user().gid));
    const Result started = detach("head -c 3000000 /dev/zero | tr '\\0' x; echo; echo end; exit 5");
    BOOST_TEST(started.status == 0, started);
    BOOST_TEST(ctl({"wait", "web"}).status == 5);
    BOOST_TEST(row()["lost_bytes"] > 1'000'000);
    const Result logs = ctl({"logs", "web"});
    BOOST_TEST(logs.said("could not be logged: no room on the disk"), logs.err);
    BOOST_TEST(logs.out.size() > 400'000U);
    BOOST_TEST(ctl({"ps", "--all"}).printed("log lost"));
    BOOST_TEST(ctl({"remove", "web"}).status == 0);
}

BOOST_AUTO_TEST_CASE(a_report_that_is_missing_at_the_end_is_the_status_of_a_detached_run) {
    for (const auto& [script, status] : std::initializer_list<std::pair<const char*, int>>{
             {"rm r.json; echo forged >r.json; exit 3", 125}, {"exit 3", 3}}) {
        BOOST_TEST(detach(script, {"--rw", project.string(), "--report-json", "r.json"}).status == 0);
        const Result waited = ctl({"wait", "web"});
        BOOST_TEST(waited.status == status, waited);
        BOOST_TEST(ctl({"ps", "--all"}).printed(status == 125 ? "ended: 125 (failed)" : "ended: 3 (exit)"));
        BOOST_TEST(ctl({"remove", "web"}).status == 0);
    }
}

BOOST_AUTO_TEST_CASE(a_detached_supervisor_that_was_killed_is_kept_with_an_end_that_is_not_known) {
    BOOST_TEST(detach("echo before; sleep 27182").status == 0);
    const pid_t supervisor = row()["supervisor"]["pid"];
    BOOST_TEST(logged("before\n"));
    Process waiter({sandboxctl_program(), "wait", "web"}, logged_in());
    BOOST_TEST(::kill(supervisor, SIGKILL) == 0);
    BOOST_TEST(waiter.finish().status == 125);
    const Json kept = row();
    BOOST_TEST(kept["state"] == "ended");
    BOOST_TEST(kept["status"] == nullptr);
    BOOST_TEST(ctl({"logs", "web"}).out == "before\n");
    BOOST_TEST(ctl({"prune"}).out == "web\n");
    expect_nothing_left();
}

BOOST_AUTO_TEST_CASE(a_detached_web_server_serves_its_page) {
    NEEDS(installed("python3") && installed("slirp4netns") && fs::exists("/dev/net/tun"),
          "python3, slirp4netns or /dev/net/tun is missing");
    write(project / "index.html", "served from a sandbox\n");
    const Result started = sandbox(
        {"--quiet", "--detach", "--name", "web", "--publish", "0:80", "python3", "-u", "-m", "http.server", "80"},
        logged_in());
    BOOST_TEST(started.out == "web\n", started);
    BOOST_TEST(started.said("leads to port 80"), started);
    const int port = row()["published"][0]["host_port"];
    Process follower({sandboxctl_program(), "logs", "--follow", "web"}, logged_in());
    Result page;
    for (int i = 0; i < 600 && page.status != 0; ++i) {
        page =
            outside({"python3", "-c",
                     "import urllib.request; print(urllib.request.urlopen('http://127.0.0.1:" + std::to_string(port) +
                         "/', timeout=10).read().decode(), end='')"});
        std::this_thread::sleep_for(std::chrono::milliseconds(page.status == 0 ? 0 : 100));
    }
    BOOST_TEST(page.out == "served from a sandbox\n", page);
    BOOST_TEST(follower.wait_for("\"GET / HTTP/1.1\" 200"));
    BOOST_TEST(ctl({"stop", "web"}).status == 0);
    BOOST_TEST(follower.finish().status == 0);
    BOOST_TEST(ctl({"wait", "web"}).status == 128 + SIGTERM);
    BOOST_TEST(ctl({"remove", "web"}).status == 0);
    expect_nothing_left();
}

BOOST_AUTO_TEST_CASE(what_was_not_detached_has_no_log) {
    Options options = logged_in();
    options.keep_input_open = true;
    Process running(
        {sandbox_program(), "--profile", "strict", "--name", "other", "--", "sh", "-c", "echo ready; read line"},
        options);
    BOOST_REQUIRE(running.wait_for("ready\n"));
    const Result refused = ctl({"logs", "other"});
    BOOST_TEST(refused.said("has no log"), refused);
    BOOST_TEST(ctl({"remove", "other"}).said("it runs"));
}

BOOST_AUTO_TEST_CASE(a_reader_of_records_that_has_gone_does_not_end_a_run) {
    const Result ended = run({"bash", "-c",
                              sandbox_program() + " --quiet --profile strict --status-fd 3 -- sh -c "
                                                  "'sleep 0.3; exit 5' 3> >(exec true); echo $?"},
                             logged_in());
    BOOST_TEST(ended.printed("5\n"), ended);
}

BOOST_AUTO_TEST_SUITE_END()
