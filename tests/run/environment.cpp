// Which variables CMD sees: those that were named.
#include <boost/test/unit_test.hpp>

#include "tests/support/world.hpp"

using namespace sandbox::test;

BOOST_FIXTURE_TEST_SUITE(environment, World)

BOOST_AUTO_TEST_CASE(tokens_agents_and_buses_do_not_pass) {
    Options options = here();
    const Words names = {"GITHUB_TOKEN",     "AWS_SECRET_ACCESS_KEY",
                         "SSH_AUTH_SOCK",    "GPG_AGENT_INFO",
                         "DISPLAY",          "DBUS_SESSION_BUS_ADDRESS",
                         "WAYLAND_DISPLAY",  "XDG_RUNTIME_DIR",
                         "LD_PRELOAD_OTHER", "MY_SECRET",
                         "BASH_ENV",         "ENV"};
    for (const std::string& name : names) {
        options.environment[name] = "/value-of-" + name;
    }
    for (const char* profile : {"strict", "default", "build"}) {
        const Result attack = inside(profile, {"env"}, options);
        BOOST_TEST(attack.status == 0, profile << attack);
        for (const std::string& name : names) {
            BOOST_TEST(!attack.printed("value-of-" + name), profile << attack);
        }
    }
    const Result control = run({"env"}, options);
    for (const std::string& name : names) {
        BOOST_TEST(control.printed(name + "=/value-of-" + name), name << control);
    }
}

BOOST_AUTO_TEST_CASE(what_the_profile_lets_through_passes) {
    Options options = here();
    options.environment["LC_TIME"] = "C.UTF-8";
    const Result shown = sandbox({"--profile", "strict", "--", "env"}, options);
    for (const char* line : {"PATH=", "TERM=xterm\n", "LANG=C.UTF-8\n", "LC_TIME=C.UTF-8\n", "HOME="}) {
        BOOST_TEST(shown.printed(line), line << shown);
    }
}

BOOST_AUTO_TEST_CASE(a_variable_can_be_set_and_passed) {
    Options options = here();
    options.environment["ONE_TOKEN"] = "passed on purpose";
    const Result shown = sandbox({"--profile", "strict", "--pass-env", "ONE_TOKEN", "--env", "TWO=a=b c", "--env",
                                  "EMPTY=", "--", "sh", "-c", "echo \"[$ONE_TOKEN][$TWO][$EMPTY]${EMPTY+set}\""},
                                 options);
    BOOST_TEST(shown.out == "[passed on purpose][a=b c][]set\n", shown);
}

BOOST_AUTO_TEST_CASE(a_glob_passes_several) {
    Options options = here();
    options.environment["APP_A"] = "1";
    options.environment["APP_B"] = "2";
    options.environment["OTHER"] = "3";
    const Result shown =
        sandbox({"--profile", "strict", "--pass-env", "APP_*", "--", "sh", "-c", "echo $APP_A$APP_B$OTHER"}, options);
    BOOST_TEST(shown.out == "12\n", shown);
}

BOOST_AUTO_TEST_CASE(a_cleared_environment_holds_only_what_is_named) {
    const Result shown = sandbox({"--profile", "strict", "--clear-env", "--env", "ONLY=this", "--", "/usr/bin/env"});
    BOOST_TEST(shown.printed("ONLY=this\n"), shown);
    BOOST_TEST(!shown.printed("LANG="), shown);
    BOOST_TEST(!shown.printed("TERM="), shown);
}

BOOST_AUTO_TEST_CASE(a_value_with_a_newline_arrives_whole) {
    const Result shown =
        sandbox({"--profile", "strict", "--env", "V=line 1\nline 2", "--", "sh", "-c", "printf '%s' \"$V\""});
    BOOST_TEST(shown.out == "line 1\nline 2", shown);
}

BOOST_AUTO_TEST_CASE(what_drives_a_loader_or_a_shell_is_not_honoured_by_the_program) {
    // The program and its helpers run with a clean environment: nothing of these may run anything or print anything.
    write(home / "evil.sh", "echo EVIL\n");
    Options options = here();
    options.environment["BASH_ENV"] = (home / "evil.sh").string();
    options.environment["ENV"] = (home / "evil.sh").string();
    options.environment["GCONV_PATH"] = home.string();
    options.environment["NOTIFY_SOCKET"] = (home / "notify").string();
    const Result quiet = sandbox({"--profile", "strict", "--", "bash", "-c", "echo fine"}, options);
    BOOST_TEST(quiet.out == "fine\n", quiet);
    const Result control = run({"bash", "-c", "echo fine"}, options);
    BOOST_TEST(control.printed("EVIL"), control);
}

BOOST_AUTO_TEST_SUITE_END()
