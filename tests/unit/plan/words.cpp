// The small readers: paths, durations, subordinate ranges.
#include <boost/test/unit_test.hpp>

#include <chrono>

#include "core/base/error.hpp"
#include "core/plan/duration.hpp"
#include "core/plan/nearest.hpp"
#include "core/plan/path_words.hpp"
#include "core/plan/paths.hpp"
#include "core/plan/subids.hpp"
#include "tests/support/fake_host.hpp"

using namespace sandbox;
using namespace std::chrono_literals;

namespace {

std::chrono::milliseconds duration(const std::string& text) {
    return parse_duration(text, test::by_option("--timeout", text).origin);
}

std::string path(const std::string& text) {
    const test::FakeHost machine;
    return read_path(test::in_file(text), machine.host).path;
}

} // namespace

BOOST_AUTO_TEST_SUITE(durations)

BOOST_AUTO_TEST_CASE(a_duration_is_a_number_and_a_unit) {
    BOOST_CHECK(duration("30s") == 30s);
    BOOST_CHECK(duration("5m") == 5min);
    BOOST_CHECK(duration("1.5h") == 90min);
    BOOST_CHECK(duration("500ms") == 500ms);
    BOOST_CHECK(duration("2d") == 48h);
    BOOST_CHECK(duration("90") == 90s);
    BOOST_CHECK(duration("0.5") == 500ms);
    BOOST_CHECK(duration("1h30m") == 90min);
    BOOST_CHECK(duration("1m1.5s") == 61500ms);
}

BOOST_AUTO_TEST_CASE(nonsense_is_an_error_with_its_place) {
    for (const char* text : {"",        "s",        "-1s",   "+1s",    "0",
                             "0s",      "0.0001ms", "1x",    "1 s",    "s1",
                             "inf",     "nan",      "1e9",   "0x10",   "999999999999999999999999h",
                             "101000d", ".5s",      "1h30x", "1m-30s", "5m.",
                             "1s500"}) {
        BOOST_CHECK_EXCEPTION(static_cast<void>(duration(text)), Error, [&](const Error& error) {
            return error.summary().starts_with(std::string("--timeout ") + text + ": ");
        });
    }
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(path_words)

BOOST_AUTO_TEST_CASE(variables_and_the_tilde_are_expanded) {
    BOOST_CHECK_EQUAL(path("~"), "/home/dev");
    BOOST_CHECK_EQUAL(path("~/x"), "/home/dev/x");
    BOOST_CHECK_EQUAL(path("$HOME/x"), "/home/dev/x");
    BOOST_CHECK_EQUAL(path("${HOME}x"), "/home/devx");
    BOOST_CHECK_EQUAL(path("$PWD"), "/home/dev/project");
    BOOST_CHECK_EQUAL(path("/data/$USER"), "/data/dev");
    BOOST_CHECK_EQUAL(path("$XDG_RUNTIME_DIR/wayland-0"), "/run/user/1000/wayland-0");
}

BOOST_AUTO_TEST_CASE(a_relative_path_starts_at_the_callers_directory) {
    BOOST_CHECK_EQUAL(path("."), "/home/dev/project");
    BOOST_CHECK_EQUAL(path("src"), "/home/dev/project/src");
    BOOST_CHECK_EQUAL(path("./~x"), "/home/dev/project/~x");
    BOOST_CHECK_EQUAL(path("//a//b/./c/"), "/a/b/c");
    BOOST_CHECK_EQUAL(path("/"), "/");
}

BOOST_AUTO_TEST_CASE(a_backslash_takes_the_meaning_away) {
    BOOST_CHECK_EQUAL(path("/a\\$HOME"), "/a$HOME");
    BOOST_CHECK_EQUAL(path("/a\\:b"), "/a:b");
    BOOST_CHECK_EQUAL(path("/a\\\\b"), "/a\\b");
    BOOST_CHECK_EQUAL(path("/a\\b"), "/a\\b");
    BOOST_CHECK_EQUAL(path("/with space\nand newline"), "/with space\nand newline");
}

BOOST_AUTO_TEST_CASE(words_of_an_option_are_taken_as_the_shell_left_them) {
    const test::FakeHost machine;
    const auto option = [&](const std::string& text) {
        return read_path(test::by_option("--ro", text), machine.host).path;
    };
    BOOST_CHECK_EQUAL(option("$HOME"), "/home/dev/project/$HOME");
    BOOST_CHECK_EQUAL(option("/a/$x"), "/a/$x");
    BOOST_CHECK_EQUAL(option("~"), "/home/dev/project/~");
    BOOST_CHECK_EQUAL(option("/a\\:b"), "/a:b");
    BOOST_CHECK_EQUAL(option("/a\\$b"), "/a\\$b");
    for (const char* text : {"/a:~/b", "/a:$HOME/b"}) {
        BOOST_CHECK_THROW(static_cast<void>(read_grant(test::by_option("--ro", text), machine.host)), Error);
    }
}

BOOST_AUTO_TEST_CASE(an_unknown_variable_is_an_error_with_its_place) {
    for (const char* text : {"$HOMES", "$", "${HOME", "/a/$X", "~other/x", "", "${PATH}"}) {
        BOOST_CHECK_EXCEPTION(static_cast<void>(path(text)), Error,
                              [](const Error& error) { return error.summary().starts_with("test.toml:7:3: "); });
    }
    BOOST_CHECK_THROW(static_cast<void>(path(std::string("/a\0b", 4))), Error);
}

BOOST_AUTO_TEST_CASE(the_first_plain_colon_divides_a_grant) {
    const test::FakeHost machine;
    const auto grant = [&](const std::string& text) { return read_grant(test::in_file(text), machine.host); };
    BOOST_CHECK_EQUAL(grant("/a").dest, "");
    BOOST_CHECK_EQUAL(grant("/a:/b").source.path, "/a");
    BOOST_CHECK_EQUAL(grant("/a:/b").dest, "/b");
    BOOST_CHECK_EQUAL(grant("/a\\:b:~/c").source.path, "/a:b");
    BOOST_CHECK_EQUAL(grant("/a\\:b:~/c").dest, "/home/dev/c");
    for (const char* text : {"/a:b", "/a:", ":/b", "/a:/b:/c", "/a:./b"}) {
        BOOST_CHECK_THROW(static_cast<void>(grant(text)), Error);
    }
}

BOOST_AUTO_TEST_CASE(a_colon_in_the_callers_directory_divides_nothing) {
    test::FakeHost machine;
    machine.host.cwd = "/srv/a:b";
    const GrantWord grant = read_grant(test::by_option("--rw", "."), machine.host);
    BOOST_CHECK_EQUAL(grant.source.path, "/srv/a:b");
    BOOST_CHECK_EQUAL(grant.dest, "");
}

BOOST_AUTO_TEST_CASE(what_a_variable_holds_is_no_pattern) {
    test::FakeHost machine;
    machine.host.home = "/home/d[e]v";
    BOOST_CHECK_EQUAL(read_pattern(test::in_file("~/.*rc"), machine.host), "/home/d\\[e]v/.*rc");
    BOOST_CHECK_EQUAL(read_pattern(test::in_file("$HOME/*"), machine.host), "/home/d\\[e]v/*");
    BOOST_CHECK_EQUAL(read_pattern(test::by_option("--hide", "/a\\*b*"), machine.host), "/a\\*b*");
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(paths_)

BOOST_AUTO_TEST_CASE(a_name_that_starts_alike_is_not_within) {
    BOOST_CHECK(paths::is_within("/a/b", "/a"));
    BOOST_CHECK(paths::is_within("/a", "/a"));
    BOOST_CHECK(paths::is_within("/a", "/"));
    BOOST_CHECK(!paths::is_within("/ab", "/a"));
    BOOST_CHECK(!paths::is_within("/a", "/a/b"));
    BOOST_CHECK(!paths::is_within("/a", ""));
    BOOST_CHECK(!paths::is_below("/a", "/a"));
    BOOST_CHECK(paths::is_below("/a", "/"));
}

BOOST_AUTO_TEST_CASE(a_directory_comes_right_before_what_it_holds) {
    const paths::Before before;
    BOOST_CHECK(before("/", "/a"));
    BOOST_CHECK(before("/a", "/a/b"));
    BOOST_CHECK(before("/a/b", "/a-b"));
    BOOST_CHECK(before("/a/\x01", "/a-"));
    BOOST_CHECK(!before("/a", "/a"));
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(subids)

BOOST_AUTO_TEST_CASE(ranges_are_found_by_name_and_by_number) {
    const SubidFile file =
        read_subid_file("# comment\nother:100000:65536\ndev:165536:65536\n1000:300000:10\n\ndevel:1:1\n"
                        "dev:x:5\ndev:5\ndev:7:0\ndev:9:1:1\n",
                        "dev", 1000);
    const std::vector<IdRange> wanted{{165536, 65536}, {300000, 10}};
    BOOST_CHECK(file.mine == wanted);
    BOOST_CHECK_EQUAL(file.highest_end, 300010U);
}

BOOST_AUTO_TEST_CASE(a_range_ends_with_the_last_id) {
    const SubidFile file = read_subid_file("dev:4294967290:100\ndev:4294967295:1\ndev:99999999999:1\n", "dev", 1000);
    const std::vector<IdRange> wanted{{4294967290, 5}};
    BOOST_CHECK(file.mine == wanted);
}

BOOST_AUTO_TEST_CASE(a_user_without_a_name_has_only_ranges_by_number) {
    BOOST_CHECK(read_subid_file(":1:5\n+:1:5\n", "", 1000).mine.empty());
    BOOST_CHECK_EQUAL(read_subid_file("1000:1:5", "", 1000).mine.size(), 1U);
}

BOOST_AUTO_TEST_CASE(what_getsubids_prints_is_read) {
    const std::vector<IdRange> wanted{{100000, 65536}, {231072, 65536}};
    BOOST_CHECK(read_getsubids_output("0: dev 100000 65536\n1: dev 231072 65536\n") == wanted);
    BOOST_CHECK(read_getsubids_output("Error fetching ranges\n").empty());
}

BOOST_AUTO_TEST_CASE(the_suggested_range_is_free_in_both_files) {
    const auto file = [](std::uint64_t end) { return SubidFile{{}, end}; };
    BOOST_CHECK_EQUAL(suggest_subid_range(file(0), file(0)), 100000U);
    BOOST_CHECK_EQUAL(suggest_subid_range(file(165536), file(0)), 165536U);
    BOOST_CHECK_EQUAL(suggest_subid_range(file(0), file(165537)), 231072U);
    BOOST_CHECK_EQUAL(suggest_subid_range(file(4294967295), file(0)), 0U);
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(nearest_names)

BOOST_AUTO_TEST_CASE(a_slip_of_the_finger_is_near_and_another_word_is_not) {
    const std::vector<std::string> known{"none", "host", "openat", "open", "clone"};
    BOOST_CHECK_EQUAL(nearest("hots", known), "host");
    BOOST_CHECK_EQUAL(nearest("opne", known), "open");
    BOOST_CHECK_EQUAL(nearest("openta", known), "openat");
    BOOST_CHECK_EQUAL(nearest("cloned", known), "clone");
    BOOST_CHECK_EQUAL(nearest("", known), "");
    BOOST_CHECK_EQUAL(nearest("something", known), "");
}

BOOST_AUTO_TEST_SUITE_END()
