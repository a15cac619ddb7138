// However a sandbox ends, nothing of it is left: no process, mount, file, nor change of the home.
#include <sys/wait.h>
#include <unistd.h>

#include <boost/test/unit_test.hpp>
#include <chrono>
#include <csignal>
#include <random>
#include <thread>

#include "tests/support/count.hpp"
#include "tests/support/world.hpp"

using namespace sandbox::test;

namespace {

/// A sandbox whose CMD starts what is hard to get rid of: an orphan in a session of its own that ignores signals.
Words stubborn() {
    return {sandbox_program(),
            "--profile",
            "strict",
            "--",
            "sh",
            "-c",
            "(trap '' TERM HUP INT; setsid sleep 27182 & ) ; trap '' TERM; sleep 27182 & wait"};
}

/// Moments spread over the start (mostly) and a little after it, the same in every run of the tests.
std::chrono::microseconds moment(std::mt19937& random) {
    return std::chrono::microseconds(std::uniform_int_distribution<long>(0, 25000)(random));
}

} // namespace

BOOST_FIXTURE_TEST_SUITE(cleanup, World)

BOOST_AUTO_TEST_CASE(nothing_is_left_after_an_ordinary_end) {
    BOOST_TEST(strict_sh("true").status == 0);
    const Belongings before = belongings(*this);
    const std::string tree_before = tree(home);
    for (const char* script : {"true", "exit 9", "kill -9 $$", "sleep 27182 & exit 0"}) {
        static_cast<void>(strict_sh(script));
        const Belongings after = belongings_settled(*this, before);
        BOOST_TEST(after == before, script << ": before\n" << before << "after\n" << after);
    }
    BOOST_TEST(tree(home) == tree_before);
}

BOOST_AUTO_TEST_CASE(nothing_is_left_when_the_supervisor_is_killed_at_any_moment_200_times) {
    BOOST_TEST(strict_sh("true").status == 0);
    const Belongings before = belongings(*this);
    std::mt19937 random(1);
    for (int i = 0; i < rounds(200); ++i) {
        Process running(stubborn(), here());
        std::this_thread::sleep_for(moment(random));
        running.signal(SIGKILL);
        BOOST_TEST(!running.finish().hung, "run " << i);
    }
    const Belongings after = belongings_settled(*this, before);
    BOOST_TEST(after == before, after);
}

BOOST_AUTO_TEST_CASE(nothing_is_left_when_the_supervisor_is_killed_and_the_pid_namespace_is_shared) {
    BOOST_TEST(strict_sh("true").status == 0);
    const Belongings before = belongings(*this);
    std::mt19937 random(4);
    for (int i = 0; i < 40; ++i) {
        Words words = stubborn();
        words.insert(words.begin() + 3, {"--share", "pid"});
        Process running(words, here());
        std::this_thread::sleep_for(moment(random));
        running.signal(SIGKILL);
        BOOST_TEST(!running.finish().hung, "run " << i);
    }
    const Belongings after = belongings_settled(*this, before);
    BOOST_TEST(after == before, after);
}

BOOST_AUTO_TEST_CASE(nothing_is_left_when_the_supervisor_is_terminated_at_any_moment_200_times) {
    BOOST_TEST(strict_sh("true").status == 0);
    const Belongings before = belongings(*this);
    std::mt19937 random(2);
    for (int i = 0; i < rounds(200); ++i) {
        Process running({sandbox_program(), "--profile", "strict", "--", "sh", "-c",
                         "(trap '' TERM; setsid sleep 27182 & ) ; sleep 27182 & wait"},
                        here());
        std::this_thread::sleep_for(moment(random));
        running.signal(SIGTERM);
        const Result ended = running.finish();
        BOOST_TEST(!ended.hung, "run " << i);
        BOOST_TEST(ended.status == 128 + SIGTERM, "run " << i << ended);
    }
    const Belongings after = belongings_settled(*this, before);
    BOOST_TEST(after == before, after);
}

BOOST_AUTO_TEST_CASE(nothing_is_left_when_cmd_is_killed_100_times) {
    BOOST_TEST(strict_sh("true").status == 0);
    const Belongings before = belongings(*this);
    std::mt19937 random(3);
    for (int i = 0; i < rounds(100); ++i) {
        Process running({sandbox_program(), "--profile", "strict", "--", "sh", "-c",
                         "echo up; (trap '' TERM; setsid sleep 27182 & ) ; sleep 27182 & wait"},
                        here());
        BOOST_REQUIRE(running.wait_for("up\n"));
        std::this_thread::sleep_for(moment(random) / 10);
        // CMD is the child of pid 1, which is the child of the supervisor.
        const Result killed = outside({"sh", "-c",
                                       "until cmd=$(pgrep -o -P \"$(pgrep -d, -P " + std::to_string(running.pid()) +
                                           ")\"); do :; done; kill -KILL $cmd"});
        BOOST_TEST(killed.status == 0, killed);
        const Result ended = running.finish();
        BOOST_TEST(ended.status == 128 + SIGKILL, "run " << i << ended);
        BOOST_TEST(!ended.hung, "run " << i);
    }
    const Belongings after = belongings_settled(*this, before);
    BOOST_TEST(after == before, after);
}

BOOST_AUTO_TEST_CASE(nothing_is_left_when_pid_1_is_killed_from_outside) {
    NEEDS(started_by_root(), "pid 1 is not the user's to kill everywhere");
    BOOST_TEST(strict_sh("true").status == 0);
    const Belongings before = belongings(*this);
    Process running({sandbox_program(), "--profile", "strict", "--", "sh", "-c", "echo up; sleep 27182"}, here());
    BOOST_REQUIRE(running.wait_for("up\n"));
    Options options;
    options.as = &root_user();
    BOOST_TEST(run({"pkill", "-KILL", "-P", std::to_string(running.pid())}, options).status == 0);
    const Result ended = running.finish();
    BOOST_TEST(ended.status == 128 + SIGKILL, ended);
    BOOST_TEST(ended.said("killed"), ended);
    BOOST_TEST(belongings_settled(*this, before) == before);
}

BOOST_AUTO_TEST_CASE(nothing_is_left_when_a_start_fails) {
    BOOST_TEST(strict_sh("true").status == 0);
    const Belongings before = belongings(*this);
    for (const Words& words :
         {Words{"--profile", "strict", "--ro", "/nonexistent", "true"},
          Words{"--profile", "strict", "--", "/nonexistent"}, Words{"--profile", "strict", "--", "/etc/passwd"},
          Words{"--profile", "nonexistent", "true"},
          Words{"--profile", "strict", "--workdir", "/nonexistent", "true"}}) {
        const Result failed = sandbox(words);
        BOOST_TEST(failed.status >= 125, failed);
        BOOST_TEST(failed.said("sandbox: "), failed);
        BOOST_TEST(belongings_settled(*this, before) == before);
    }
}

BOOST_AUTO_TEST_CASE(the_whole_group_killed_at_once_leaves_nothing) {
    BOOST_TEST(strict_sh("true").status == 0);
    const Belongings before = belongings(*this);
    for (int i = 0; i < 20; ++i) {
        Process running(stubborn(), here());
        std::this_thread::sleep_for(std::chrono::milliseconds(i));
        // The group is there as soon as the child has called setsid.
        while (::kill(-running.pid(), SIGKILL) != 0) {
            std::this_thread::yield();
        }
        BOOST_TEST(!running.finish().hung);
    }
    const Belongings after = belongings_settled(*this, before);
    BOOST_TEST(after == before, after);
}

BOOST_AUTO_TEST_CASE(what_is_left_behind_would_be_noticed) {
    // The control of all the others.
    // Where no root started the tests, a process of ours is known by its name.
    const std::string program = write(home / "sandbox-left", read_file("/bin/sh"), 0755);
    const Belongings before = belongings(*this);
    Options options = here();
    options.keep_input_open = true;
    Process left({program, "-c", "echo up; read never"}, options);
    BOOST_REQUIRE(left.wait_for("up\n"));
    BOOST_TEST(!(belongings(*this) == before));
    left.signal(SIGKILL);
    static_cast<void>(left.finish());
    BOOST_TEST(belongings_settled(*this, before) == before);
    write(home / ".local/share/sandbox/left", "");
    BOOST_TEST(!(belongings(*this) == before));
}

BOOST_AUTO_TEST_SUITE_END()
