// Signals reach CMD, CMD's reach nobody outside, and the exit status tells what ended it.
#include <sys/wait.h>
#include <unistd.h>

#include <boost/test/unit_test.hpp>
#include <csignal>

#include "tests/support/count.hpp"
#include "tests/support/world.hpp"

using namespace sandbox::test;

BOOST_FIXTURE_TEST_SUITE(signals, World)

BOOST_AUTO_TEST_CASE(the_exit_status_is_cmds) {
    for (const int status : {0, 1, 2, 77, 124, 125, 126, 127, 128, 200, 255}) {
        BOOST_TEST(strict_sh("exit " + std::to_string(status)).status == status);
    }
}

BOOST_AUTO_TEST_CASE(a_signal_that_ended_cmd_is_128_and_its_number) {
    for (const int number : {SIGTERM, SIGKILL, SIGSEGV, SIGABRT, SIGINT, SIGHUP, SIGUSR1}) {
        const Result ended = strict_sh("kill -" + std::to_string(number) + " $$");
        BOOST_TEST(ended.status == 128 + number, ended);
    }
}

BOOST_AUTO_TEST_CASE(signals_to_the_supervisor_reach_cmd) {
    Process running({sandbox_program(), "--profile", "strict", "--ro", probe_directory(), "--", probe("signals")},
                    here());
    BOOST_REQUIRE(running.wait_for("ready\n"));
    for (const int number : {SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGUSR1, SIGALRM}) {
        running.signal(number);
        BOOST_TEST(running.wait_for("got " + std::to_string(number) + "\n"), number);
    }
    running.signal(SIGUSR2);
    const Result ended = running.finish();
    BOOST_TEST(ended.status == 7, ended);
}

BOOST_AUTO_TEST_CASE(a_signal_to_everybody_of_the_group_reaches_nobody_outside) {
    // CMD's `kill 0` must not end the process beside the sandbox, which is in the supervisor's group.
    const std::string beside = "sleep 1000 & other=$!; ";
    const std::string after = "; kill -0 $other && echo still there; kill $other";
    const Result attack = sh(beside + "'" + sandbox_program() + "' --profile strict -- sh -c 'kill -TERM 0'" + after);
    BOOST_TEST(attack.printed("still there"), attack);
    const Result all = sh(beside + "'" + sandbox_program() + "' --profile strict -- sh -c 'kill -TERM -1'" + after);
    BOOST_TEST(all.printed("still there"), all);
    const Result control = sh("setsid -w sh -c \"" + std::string("sleep 1000 & trap : TERM; sh -c 'kill -TERM 0'; ") +
                              "wait \\$!; echo ended \\$?\"");
    BOOST_TEST(control.printed("ended"), control);
}

BOOST_AUTO_TEST_CASE(pid_1_cannot_be_killed_from_inside) {
    const Result attack = strict_sh("kill -KILL 1; kill -TERM 1; kill -STOP 1; sleep 0.1; echo still running");
    BOOST_TEST(attack.out == "still running\n", attack);
    BOOST_TEST(attack.status == 0, attack);
}

BOOST_AUTO_TEST_CASE(orphans_are_reaped) {
    const Result reaped = strict_sh("for i in $(seq 50); do (sleep 0.01 & ) ; done; sleep 1; "
                                    "grep -l '^State:.Z' /proc/[0-9]*/status 2>/dev/null | wc -l");
    BOOST_TEST(reaped.out == "0\n", reaped);
}

BOOST_AUTO_TEST_CASE(cmds_children_end_with_it) {
    const Result ended = strict_sh("setsid sleep 31415 >/dev/null 2>&1 & nohup sleep 31415 >/dev/null 2>&1 & exit 4");
    BOOST_TEST(ended.status == 4, ended);
    BOOST_TEST(sh("pgrep -f 'sleep 3141[5]' || echo none").printed("none"));
}

BOOST_AUTO_TEST_CASE(a_timeout_ends_cmd_and_everything_it_started) {
    const Result timed = sandbox({"--profile", "strict", "--timeout", "1s", "--", "sh", "-c",
                                  "trap 'echo asked; exit 0' TERM; sleep 1000 & wait"});
    BOOST_TEST(timed.status == 124, timed);
    BOOST_TEST(timed.printed("asked"), timed);
    BOOST_TEST(sandbox({"--profile", "strict", "--timeout", "100s", "--", "sh", "-c", "exit 5"}).status == 5);
}

BOOST_AUTO_TEST_CASE(a_command_that_stops_itself_does_not_stop_its_time) {
    const Result stopped =
        sandbox({"--profile", "strict", "--timeout", "1s", "--", "sh", "-c", "kill -STOP $$; echo went on"});
    BOOST_TEST(stopped.status == 124, stopped);
    BOOST_TEST(!stopped.printed("went on"), stopped);
    BOOST_TEST(!stopped.hung);
}

BOOST_AUTO_TEST_CASE(limits_that_cmd_sets_on_pid_1_do_not_wedge_it) {
    NEEDS(installed("python3"), "python3 is not installed");
    const std::string script = "import os, resource, sys, time\n"
                               "try:\n"
                               "    resource.prlimit(int(sys.argv[1]), resource.RLIMIT_NOFILE, (0, 0))\n"
                               "    print('lowered')\n"
                               "except PermissionError:\n"
                               "    print('refused')\n"
                               "if os.fork() == 0:\n"
                               "    if os.fork() == 0: os._exit(0)\n"
                               "    os._exit(0)\n"
                               "os.wait(); time.sleep(.3); sys.stdout.flush(); os._exit(3)\n";
    for (const Words& how : {Words{"default"}, Words{"strict", "--seccomp", "none"}, Words{"strict"},
                             Words{"default", "--share", "pid"}}) {
        Words words = {"--profile"};
        words.insert(words.end(), how.begin(), how.end());
        const bool shared = how.back() == "pid";
        words.insert(words.end(), {"--", "python3", "-c", script, shared ? "0" : "1"});
        const Result ended = sandbox(words);
        BOOST_TEST(ended.status == 3, ended);
        BOOST_TEST(ended.printed(how.size() == 1 && how[0] == "strict" ? "refused" : "lowered"), ended);
        BOOST_TEST(!ended.hung);
    }
}

BOOST_AUTO_TEST_CASE(a_parent_that_ignores_sigchld_does_not_hang_it) {
    Options options = here();
    options.before_exec = [] { std::signal(SIGCHLD, SIG_IGN); };
    const Result ended = sandbox({"--profile", "strict", "--", "sh", "-c", "sh -c 'exit 1'; echo $?; exit 6"}, options);
    BOOST_TEST(ended.status == 6, ended);
    BOOST_TEST(!ended.hung);
}

BOOST_AUTO_TEST_CASE(the_callers_mask_and_ignored_signals_are_cmds_as_without_a_sandbox) {
    Options options = here();
    options.before_exec = [] {
        std::signal(SIGHUP, SIG_IGN);
        sigset_t mask;
        sigemptyset(&mask);
        sigaddset(&mask, SIGUSR1);
        sigprocmask(SIG_SETMASK, &mask, nullptr);
    };
    const Words look = {"grep", "-E", "SigBlk|SigIgn", "/proc/self/status"};
    Words inner = {"--profile", "strict", "--"};
    inner.insert(inner.end(), look.begin(), look.end());
    BOOST_TEST(sandbox(inner, options).out == run(look, options).out);
}

BOOST_AUTO_TEST_SUITE_END()
