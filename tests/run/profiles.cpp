// Profiles: where they are found, what is refused, what sandboxctl says about them.
#include <unistd.h>

#include <boost/test/unit_test.hpp>
#include <filesystem>

#include "tests/support/count.hpp"
#include "tests/support/world.hpp"

namespace fs = std::filesystem;
using namespace sandbox::test;

BOOST_FIXTURE_TEST_SUITE(profiles, World)

BOOST_AUTO_TEST_CASE(the_built_in_profiles_are_listed_with_what_they_are_for) {
    const Result list = outside({sandboxctl_program(), "profile", "list"});
    BOOST_TEST(list.status == 0, list);
    for (const char* name : {"default", "strict", "build", "npm", "pip", "permissive"}) {
        BOOST_TEST(list.printed(name), name << list);
    }
}

BOOST_AUTO_TEST_CASE(every_built_in_profile_runs) {
    for (const char* name : {"default", "strict", "build", "permissive"}) {
        const Result ran = sandbox({"--quiet", "--profile", name, "--", "echo", "fine"});
        BOOST_TEST(ran.out == "fine\n", name << ran);
        BOOST_TEST(ran.err.empty(), name << ran);
    }
    BOOST_TEST(sandbox({"echo", "fine"}).out == "fine\n");
}

BOOST_AUTO_TEST_CASE(a_file_in_the_current_directory_is_not_read_unless_it_is_named) {
    write(project / "strict", "extends = \"permissive\"\n");
    write(project / "strict.toml", "extends = \"permissive\"\n");
    const Result attack = inside("strict", {probe("attempt"), "unshare-user"});
    BOOST_TEST(attack.printed("unshare-user: EPERM"), attack);
    const Result control = inside("./strict.toml", {probe("attempt"), "unshare-user"});
    BOOST_TEST(control.printed("unshare-user: ok"), control);
}

BOOST_AUTO_TEST_CASE(the_users_profile_comes_before_the_built_in_one) {
    profile("strict", "extends = \"strict\"\n[environment.set]\nMINE = \"yes\"\n");
    const Result mine = sandbox({"--profile", "strict", "--", "sh", "-c", "echo $MINE"});
    BOOST_TEST(mine.out == "yes\n", mine);
}

BOOST_AUTO_TEST_CASE(a_mistake_is_told_with_its_place_and_the_nearest_name) {
    const struct {
        const char* text;
        const char* place;
        const char* word;
    } kMistakes[] = {
        {"extends = \"strict\"\n[filesystem]\nreadonly = [\"/srv\"]\n", ":3:", "read-only"},
        {"extends = \"strict\"\n\n[seccomp]\nallow = [\"sokcet\"]\n", ":4:", "socket"},
        {"extends = \"strict\"\n[seccomp]\nallow = [\"@netwok-io\"]\n", ":3:", "@network-io"},
        {"extends = \"strict\"\n[capabilities]\nkeep = [\"CAP_NET_RAWW\"]\n", ":3:", "CAP_NET_RAW"},
        {"extends = \"strcit\"\n", ":1:", "strict"},
        {"extends = \"strict\"\n[namespaces]\nshare = [\"nett\"]\n", ":3:", "net"},
        {"extends = \"strict\"\n[network]\nmode = 5\n", ":3:", "mode"},
        {"extends = \"strict\"\n[network]\nmode = \"hots\"\n", ":3:", "host"},
        {"extends = \"strict\"\nthis is not TOML\n", ":2:", ""},
        {"extends = \"strict\"\n[filesystem]\nread-only = [\"/a\\u0000b\"]\n", ":3:", ""},
    };
    for (const auto& mistake : kMistakes) {
        write(project / "mine.toml", mistake.text);
        const Result failed = sandbox({"--profile", "./mine.toml", "true"});
        BOOST_TEST(failed.status == 125, mistake.text << failed);
        BOOST_TEST(failed.said(std::string("mine.toml") + mistake.place), mistake.text << failed);
        BOOST_TEST(failed.said(mistake.word), mistake.text << failed);
        const Result checked = outside({sandboxctl_program(), "profile", "check", "./mine.toml"});
        BOOST_TEST(checked.status != 0, mistake.text << checked);
        BOOST_TEST((checked.out + checked.err).find(mistake.place) != std::string::npos, mistake.text << checked);
    }
}

BOOST_AUTO_TEST_CASE(a_sound_profile_checks) {
    write(project / "mine.toml", "extends = \"strict\"\n[filesystem]\nread-only = [\"/usr\"]\n");
    const Result checked = outside({sandboxctl_program(), "profile", "check", "./mine.toml"});
    BOOST_TEST(checked.status == 0, checked);
}

BOOST_AUTO_TEST_CASE(what_means_something_with_an_interface_alone_checks_beside_its_mode) {
    NEEDS(installed("slirp4netns") && ::access("/dev/net/tun", R_OK | W_OK) == 0,
          "slirp4netns or /dev/net/tun is missing");
    write(project / "mine.toml", "extends = \"strict\"\n[network]\nmode = \"slirp4netns\"\npublish = [\"8080:80\"]\n"
                                 "[limits]\nnet-in = \"20mbit\"\n");
    const Result checked = outside({sandboxctl_program(), "profile", "check", "./mine.toml"});
    BOOST_TEST(checked.status == 0, checked);
    write(project / "mine.toml", "extends = \"strict\"\n[limits]\nnet-in = \"20\"\n");
    const Result failed = outside({sandboxctl_program(), "profile", "check", "./mine.toml"});
    BOOST_TEST(failed.said("mine.toml:3:10: limits.net-in: cannot read the rate '20'"), failed);
}

BOOST_AUTO_TEST_CASE(profiles_that_extend_each_other_are_refused) {
    profile("one", "extends = \"two\"\n");
    profile("two", "extends = \"one\"\n");
    const Result failed = sandbox({"--profile", "one", "true"});
    BOOST_TEST(failed.status == 125, failed);
    BOOST_TEST(failed.said("one"), failed);
}

BOOST_AUTO_TEST_CASE(a_misspelled_profile_names_the_nearest) {
    const Result failed = sandbox({"--profile", "strictt", "true"});
    BOOST_TEST(failed.status == 125, failed);
    BOOST_TEST(failed.said("strict"), failed);
    BOOST_TEST(failed.said("fix: "), failed);
}

BOOST_AUTO_TEST_CASE(show_prints_the_merged_result_with_origins) {
    profile("mine", "extends = \"strict\"\n[namespaces]\nhostname = \"shown\"\n");
    const Result shown = outside({sandboxctl_program(), "profile", "show", "mine"});
    BOOST_TEST(shown.status == 0, shown);
    BOOST_TEST(shown.printed("shown"), shown);
    BOOST_TEST(shown.printed("mine.toml:3"), shown);
    BOOST_TEST(shown.printed("default.toml:"), shown);
    const Result strict = outside({sandboxctl_program(), "profile", "show", "strict"});
    BOOST_TEST(strict.status == 0, strict);
}

BOOST_AUTO_TEST_CASE(what_show_prints_is_a_profile_again) {
    const Result shown = outside({sandboxctl_program(), "profile", "show", "strict"});
    write(project / "again.toml", shown.out);
    const Result again = inside("./again.toml", {probe("attempt"), "unshare-user"});
    BOOST_TEST(again.printed("unshare-user: EPERM"), again);
}

BOOST_AUTO_TEST_CASE(options_go_over_the_profile) {
    profile("mine", "extends = \"strict\"\n[namespaces]\nhostname = \"from-the-profile\"\n");
    BOOST_TEST(sandbox({"--profile", "mine", "--", "uname", "-n"}).out == "from-the-profile\n");
    BOOST_TEST(sandbox({"--profile", "mine", "--hostname", "from-the-option", "--", "uname", "-n"}).out ==
               "from-the-option\n");
}

BOOST_AUTO_TEST_SUITE_END()
