// Messages: what they say, and that names of somebody else's making cannot forge a line, drive a terminal or a shell.
#include <boost/test/unit_test.hpp>

#include <cerrno>
#include <string>

#include "core/base/error.hpp"
#include "core/base/step.hpp"
#include "core/base/step_error.hpp"

using namespace sandbox;

BOOST_AUTO_TEST_SUITE(error)

BOOST_AUTO_TEST_CASE(a_message_has_the_kernels_word_then_causes_then_fixes) {
    const Error error = Error("cannot open 'x'").kernel(ENOENT).cause("it is gone").fix("make it");
    BOOST_TEST(std::string(error.what()) ==
               "cannot open 'x': No such file or directory\n  cause: it is gone\n  fix: make it");
    BOOST_TEST(error.exit_status() == 125);
}

BOOST_AUTO_TEST_CASE(a_name_cannot_forge_a_line_or_drive_the_terminal) {
    BOOST_TEST(quoted("a\nsandbox: lie") == "'a\\nsandbox: lie'");
    BOOST_TEST(quoted("\x1b[2J") == "'\\x1b[2J'");
    BOOST_TEST(quoted("\xc2\x9b"
                      "31m") == "'\\xc2\\x9b31m'");            // CSI as one C1 character
    BOOST_TEST(quoted("\xe2\x80\xae") == "'\\xe2\\x80\\xae'"); // right-to-left override
    BOOST_TEST(quoted("\xff\xfe") == "'\\xff\\xfe'");
    BOOST_TEST(quoted("\xc0\x80") == "'\\xc0\\x80'"); // an overlong NUL is not UTF-8
}

BOOST_AUTO_TEST_CASE(a_name_in_another_script_is_left_as_it_is) {
    BOOST_TEST(quoted("größe 模型 🙂") == "'größe 模型 🙂'");
}

BOOST_AUTO_TEST_CASE(a_fix_that_is_pasted_into_a_shell_stays_one_word) {
    BOOST_TEST(shell_quoted("/usr/bin/a-b_c.d") == "/usr/bin/a-b_c.d");
    BOOST_TEST(shell_quoted("") == "''");
    BOOST_TEST(shell_quoted("a b") == "'a b'");
    BOOST_TEST(shell_quoted("x'; touch y; '") == "'x'\\''; touch y; '\\'''");
    BOOST_TEST(shell_quoted("$(id)") == "'$(id)'");
    BOOST_TEST(shell_quoted("a\nb'c") == "$'a\\nb\\'c'");
}

BOOST_AUTO_TEST_CASE(every_step_has_words) {
    for (int step = 0; step < static_cast<int>(Step::count_); ++step) {
        BOOST_TEST(!words(static_cast<Step>(step)).text.empty(), "step " << step);
    }
}

BOOST_AUTO_TEST_CASE(a_failed_step_names_its_object) {
    BOOST_TEST(std::string(StepError(Step::execute, "ls", ENOENT).what()) ==
               "cannot execute 'ls': No such file or directory");
    BOOST_TEST(std::string(StepError(Step::write_uid_map, "/usr/bin/newuidmap", 0).what()) ==
               "cannot write the uid map of the sandbox: '/usr/bin/newuidmap'");
}

BOOST_AUTO_TEST_CASE(text_is_utf8_or_not) {
    for (const char* text : {"", "a\n", "\xc3\xa9", "\xe2\x82\xac", "\xf0\x9f\x99\x82", "\x7f"}) {
        BOOST_TEST(is_utf8(text));
    }
    for (const char* text : {"\xff", "a\xc3", "\xc0\xaf", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\x80"}) {
        BOOST_TEST(!is_utf8(text));
    }
}

BOOST_AUTO_TEST_SUITE_END()
