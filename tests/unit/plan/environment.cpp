#include "tests/unit/plan/plan_test.hpp"

using namespace sandbox;
using namespace sandbox::test;

namespace {

struct EnvironmentTest : PlanTest {
    EnvironmentTest() { profile.name = "strict"; }

    void pass(const std::string& word) { add(profile.environment.pass, "--pass-env", word); }
    void set(const std::string& name, const std::string& value) {
        profile.environment.set[name].set(value, by_option("--env", name + "=" + value).origin);
    }
    [[nodiscard]] std::string all() const {
        std::string text;
        for (const EnvironmentEntry& entry : plan().environment) {
            text += entry.name + "=" + entry.value + "\n";
        }
        return text;
    }
    static constexpr const char* kOurs =
        "HOME=/home/dev\nLOGNAME=dev\nPATH=/usr/local/bin:/usr/bin:/bin\nPWD=/home/dev\nSANDBOX=1\n"
        "SANDBOX_PROFILE=strict\nUSER=dev\n";
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(environment, EnvironmentTest)

BOOST_AUTO_TEST_CASE(nothing_passes_unless_named) {
    BOOST_CHECK_EQUAL(all(), kOurs);
}

BOOST_AUTO_TEST_CASE(a_program_can_know_its_sandbox_and_a_profile_can_say_otherwise) {
    host.environment["SANDBOX"] = "0";
    pass("SANDBOX");
    CHECK_SAYS(all(), "SANDBOX=1\n");
    set("SANDBOX_PROFILE", "mine");
    CHECK_SAYS(all(), "SANDBOX_PROFILE=mine\n");
}

BOOST_AUTO_TEST_CASE(names_and_patterns_pass) {
    host.environment["LC_TIME"] = "C";
    host.environment["LC_ALL"] = "C";
    in_profile(profile.environment.pass, "LC_*");
    in_profile(profile.environment.pass, "LANG");
    in_profile(profile.environment.pass, "NOT_SET");
    CHECK_SAYS(all(), "LANG=C.UTF-8\nLC_ALL=C\nLC_TIME=C\n");
    BOOST_CHECK(!contains(all(), "SECRET"));
    BOOST_CHECK_EQUAL(notices(), "");
}

BOOST_AUTO_TEST_CASE(an_option_that_passes_nothing_is_said) {
    pass("NOT_SET");
    pass("NOT_*");
    pass("LANG");
    CHECK_SAYS(notices(), "--pass-env NOT_SET: no variable of this name is set");
    CHECK_SAYS(notices(), "--pass-env NOT_*:");
    BOOST_CHECK_EQUAL(plan().notices.size(), 2U);
}

BOOST_AUTO_TEST_CASE(the_path_passes_where_it_is_named) {
    in_profile(profile.environment.pass, "PATH");
    CHECK_SAYS(all(), "PATH=/usr/bin:/bin\n");
}

BOOST_AUTO_TEST_CASE(a_set_value_wins_over_a_passed_one_of_its_layer_and_below) {
    in_profile(profile.environment.pass, "LANG");
    set("LANG", "de_DE");
    CHECK_SAYS(all(), "LANG=de_DE\n");
    pass("LANG");
    CHECK_SAYS(all(), "LANG=de_DE\n");
}

BOOST_AUTO_TEST_CASE(a_passed_value_wins_over_one_set_in_a_lower_layer) {
    profile.environment.set["LANG"].set("de_DE", in_file("", profile.lineage.front()).origin);
    pass("LANG");
    CHECK_SAYS(all(), "LANG=C.UTF-8\n");
}

BOOST_AUTO_TEST_CASE(home_and_pwd_are_those_of_the_sandbox_unless_set) {
    host.environment["HOME"] = "/elsewhere";
    host.environment["PWD"] = "/elsewhere";
    host.environment["USER"] = "somebody";
    pass("*");
    CHECK_SAYS(all(), "HOME=/home/dev\n");
    CHECK_SAYS(all(), "PWD=/home/dev\n");
    CHECK_SAYS(all(), "USER=dev\n");
    set("HOME", "/tmp");
    CHECK_SAYS(all(), "HOME=/tmp\n");
}

BOOST_AUTO_TEST_CASE(a_cleared_environment_holds_what_every_program_needs) {
    profile.environment.clear.set(true, by_option("--clear-env", "").origin);
    BOOST_CHECK_EQUAL(
        all(), "HOME=/home/dev\nPATH=/usr/local/bin:/usr/bin:/bin\nPWD=/home/dev\nSANDBOX=1\nSANDBOX_PROFILE=strict\n");
    set("A", "1");
    CHECK_SAYS(all(), "A=1\n");
}

BOOST_AUTO_TEST_CASE(a_user_without_a_name_has_none_in_the_environment) {
    host.user_name.clear();
    host.groups.clear();
    BOOST_CHECK(!contains(all(), "USER="));
}

BOOST_AUTO_TEST_CASE(a_name_that_no_shell_reads_is_an_error) {
    for (const char* name : {"", "1A", "A-B", "A B", "A=B", "Ä"}) {
        profile.environment.set.clear();
        set(name, "x");
        CHECK_SAYS(error(), "cannot be the name of an environment variable");
    }
    profile.environment.set.clear();
    pass("A-B");
    CHECK_SAYS(error(), "--pass-env A-B: 'A-B' cannot be the name");
}

BOOST_AUTO_TEST_CASE(a_value_may_hold_anything_but_a_nul_byte) {
    set("A", "x=y \n\"'$;");
    CHECK_SAYS(all(), "A=x=y \n\"'$;\n");
    set("A", std::string("a\0b", 3));
    CHECK_SAYS(error(), "NUL byte");
}

BOOST_AUTO_TEST_SUITE_END()
