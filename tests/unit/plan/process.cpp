#include "tests/unit/plan/plan_test.hpp"

using namespace sandbox;
using namespace sandbox::test;

namespace {

struct ProcessTest : PlanTest {
    void path(const std::string& value) { profile.environment.set["PATH"].set(value, by_option("--env", "").origin); }
    [[nodiscard]] Lines candidates(const std::string& name) {
        command.arguments = {name};
        return plan().process.candidates;
    }
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(process, ProcessTest)

BOOST_AUTO_TEST_CASE(a_name_is_looked_for_along_the_planned_path) {
    path("/usr/bin:/opt/x/:/usr/bin");
    CHECK_LINES(candidates("ls"), {"/usr/bin/ls", "/opt/x/ls"});
}

BOOST_AUTO_TEST_CASE(relative_directories_of_the_path_are_left_out) {
    path(":.:bin:/bin:");
    CHECK_LINES(candidates("ls"), {"/bin/ls"});
}

BOOST_AUTO_TEST_CASE(a_path_is_taken_as_it_is_written) {
    CHECK_LINES(candidates("/bin/../x"), {"/bin/../x"});
    rw(".");
    CHECK_LINES(candidates("./a.out"), {"/home/dev/project/./a.out"});
    profile.process.workdir.set("/", by_option("--workdir", "/").origin);
    CHECK_LINES(candidates("a/b"), {"/a/b"});
}

BOOST_AUTO_TEST_CASE(words_of_the_command_are_data) {
    command.arguments = {"/bin/echo", "", "--rw", "$(x)", ";", "a\nb"};
    BOOST_CHECK(plan().process.arguments == command.arguments);
}

BOOST_AUTO_TEST_CASE(a_command_needs_a_name) {
    command.arguments = {};
    CHECK_SAYS(error(), "none was given");
    command.arguments = {""};
    BOOST_CHECK_EXCEPTION(static_cast<void>(plan()), Error,
                          [](const Error& error) { return error.exit_status() == 127; });
    command.arguments = {"ls"};
    path("bin");
    BOOST_CHECK_EXCEPTION(static_cast<void>(plan()), Error,
                          [](const Error& error) { return error.exit_status() == 127; });
}

BOOST_AUTO_TEST_CASE(a_terminal_of_its_own_where_both_ends_are_one) {
    BOOST_CHECK(!plan().process.terminal);
    host.stdin_is_terminal = true;
    BOOST_CHECK(!plan().process.terminal);
    host.stdout_is_terminal = true;
    BOOST_CHECK(plan().process.terminal);
    profile.process.terminal.set("never", by_option("--no-tty", "").origin);
    BOOST_CHECK(!plan().process.terminal);
    BOOST_CHECK(!plan().process.output_terminal);
    host.stdin_is_terminal = false;
    profile.process.terminal.set("always", by_option("--tty", "").origin);
    BOOST_CHECK(plan().process.terminal);
    profile.process.terminal.set("often", by_option("--tty", "often").origin);
    CHECK_SAYS(error(), "--tty often: cannot take 'often'");
}

BOOST_AUTO_TEST_CASE(output_alone_to_a_terminal_goes_through_a_pty_that_cannot_be_read_from) {
    for (bool Host::*stream : {&Host::stdout_is_terminal, &Host::stderr_is_terminal}) {
        host = FakeHost().host;
        host.*stream = true;
        BOOST_CHECK(!plan().process.terminal);
        BOOST_CHECK(plan().process.output_terminal);
    }
    host = FakeHost().host;
    BOOST_CHECK(!plan().process.output_terminal);
}

BOOST_AUTO_TEST_CASE(a_time_limit_is_kept_with_its_origin) {
    BOOST_CHECK(!plan().timeout);
    profile.limits.timeout.set("5m", by_option("--timeout", "5m").origin);
    BOOST_CHECK(plan().timeout == std::chrono::minutes(5));
    BOOST_CHECK_EQUAL(plan().timeout_origin.source, "--timeout 5m");
}

BOOST_AUTO_TEST_CASE(the_command_starts_where_the_caller_stands_if_that_is_shown) {
    BOOST_CHECK_EQUAL(plan().process.workdir, "/home/dev");
    rw(".");
    BOOST_CHECK_EQUAL(plan().process.workdir, "/home/dev/project");
    BOOST_CHECK_EQUAL(plan().process.workdir_origin.source, "current directory");
    profile.filesystem.read_write.items.clear();
    profile.filesystem.tmpfs.items.clear();
    BOOST_CHECK_EQUAL(plan().process.workdir, "/");
}

BOOST_AUTO_TEST_CASE(a_written_workdir_must_be_shown) {
    const auto start_in = [&](const std::string& text) {
        profile.process.workdir.set(text, by_option("--workdir", text).origin);
    };
    start_in("/srv/data");
    CHECK_SAYS(error(), "--workdir /srv/data: cannot start in '/srv/data'");
    ro("/srv/data");
    BOOST_CHECK_EQUAL(plan().process.workdir, "/srv/data");
    start_in("/srv");
    BOOST_CHECK_EQUAL(plan().process.workdir, "/srv");
    start_in("/bin");
    BOOST_CHECK_EQUAL(plan().process.workdir, "/usr/bin");
    start_in("/etc/passwd");
    CHECK_SAYS(error(), "cannot start in");
    start_in("/tmp/new");
    CHECK_SAYS(error(), "cannot start in");
    start_in("/tmp");
    BOOST_CHECK_EQUAL(plan().process.workdir, "/tmp");
    start_in("/home/dev");
    BOOST_CHECK_EQUAL(plan().process.workdir, "/home/dev");
}

BOOST_AUTO_TEST_CASE(a_current_directory_without_a_name_is_said) {
    host.cwd.clear();
    in_profile(profile.filesystem.read_write, "$PWD");
    BOOST_CHECK_EQUAL(plan().process.workdir, "/home/dev");
    CHECK_SAYS(notices(), "the current directory cannot be named: it is not shown");
    rw(".");
    CHECK_SAYS(error(), "--rw .: cannot read the path '.'");
}

BOOST_AUTO_TEST_SUITE_END()
