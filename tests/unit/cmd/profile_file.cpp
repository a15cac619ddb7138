// Finding profiles, and what they extend.
#include "cmd/common/profile_file.hpp"

#include <sys/stat.h>

#include <algorithm>

#include "tests/unit/cmd/cmd_test.hpp"

using namespace sandbox;
using namespace sandbox::test;

namespace {

struct Directories {
    TemporaryDirectory files;
    ProfileSearch search{{files.path("user"), files.path("machine"), files.path("built-in")}};

    [[nodiscard]] std::string failure(const std::string& name) const {
        return error_of([&] { static_cast<void>(load_profile(name, search)); }).what();
    }
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(profile_file, Directories)

BOOST_AUTO_TEST_CASE(the_first_directory_that_has_the_name_wins) {
    files.write("built-in/strict.toml", "description = \"built in\"\n");
    BOOST_TEST(*load_profile("strict", search).description.value == "built in");
    files.write("machine/strict.toml", "description = \"the machine's\"\n");
    BOOST_TEST(*load_profile("strict", search).description.value == "the machine's");
    files.write("user/strict.toml", "description = \"the user's\"\n");
    BOOST_TEST(*load_profile("strict", search).description.value == "the user's");
}

BOOST_AUTO_TEST_CASE(a_plain_name_is_never_looked_for_in_the_current_directory) {
    files.write("here/evil.toml", "");
    files.write("here/evil", "");
    const std::filesystem::path before = std::filesystem::current_path();
    std::filesystem::current_path(files.path("here"));
    const std::string by_name = failure("evil");
    const Profile by_path = load_profile("./evil.toml", search);
    const Profile by_suffix = load_profile("evil.toml", search);
    std::filesystem::current_path(before);
    BOOST_TEST(by_name.starts_with("cannot find the profile 'evil'"));
    BOOST_TEST(by_path.lineage.at(0) == "./evil.toml");
    BOOST_TEST(by_suffix.lineage.at(0) == "evil.toml");
}

BOOST_AUTO_TEST_CASE(a_relative_configuration_directory_is_not_searched) {
    const ProfileSearch with = profile_search("/home/dev/.config/sandbox");
    const ProfileSearch without = profile_search("config/sandbox");
    BOOST_TEST(with.directories.front() == "/home/dev/.config/sandbox/profiles");
    BOOST_TEST(without.directories.size() + 1 == with.directories.size());
    BOOST_TEST(std::ranges::all_of(without.directories, [](const std::string& path) { return path.front() == '/'; }));
}

BOOST_AUTO_TEST_CASE(the_built_in_profiles_are_found_beside_the_program) {
    files.write("prefix/share/sandbox/profiles/default.toml", "");
    BOOST_TEST(built_in_profiles(files.path("prefix/bin/sandbox")) == files.path("prefix/share/sandbox/profiles"));
    files.write("tree/profiles/default.toml", "");
    BOOST_TEST(built_in_profiles(files.path("tree/build/plain/sandbox")) == files.path("tree/profiles"));
    BOOST_TEST(built_in_profiles(files.path("tree/other/plain/sandbox")) == SANDBOX_DATADIR "/profiles");
    BOOST_TEST(built_in_profiles("") == SANDBOX_DATADIR "/profiles");
}

BOOST_AUTO_TEST_CASE(a_profile_that_is_not_found_names_the_places_and_the_nearest_name) {
    files.write("built-in/strict.toml", "");
    const std::string message = failure("strct");
    BOOST_TEST(message.starts_with("cannot find the profile 'strct'\n"));
    for (const std::string directory : {"user", "machine", "built-in"}) {
        BOOST_TEST(contains(message, files.path(directory) + "/strct.toml"));
    }
    BOOST_TEST(contains(message, "did you mean 'strict'?"));
    BOOST_TEST(contains(message, "sandboxctl profile list"));
}

BOOST_AUTO_TEST_CASE(a_name_with_odd_characters_is_an_error) {
    for (const std::string name : {"a b", "-strict", ".hidden", "a\nb", "ünicode", "a;b", ".."}) {
        BOOST_TEST(contains(failure(name), "cannot be the name of a profile"), name);
    }
    BOOST_TEST(contains(failure(""), "the name of the profile is empty"));
    BOOST_TEST(contains(failure(std::string("strict\0.toml", 12)), "NUL"));
}

BOOST_AUTO_TEST_CASE(what_is_no_regular_file_of_a_bearable_size_is_an_error) {
    std::filesystem::create_directories(files.path("user/directory.toml"));
    BOOST_TEST(contains(failure("directory"), "it is a directory"));
    BOOST_REQUIRE(::mkfifo(files.path("user/pipe.toml").c_str(), 0600) == 0);
    BOOST_TEST(contains(failure("pipe"), "it is not a regular file")); // and nobody waits for a writer
    files.write("user/large.toml", std::string((1 << 20) + 1, '#'));
    BOOST_TEST(contains(failure("large"), "it is larger than 1 MiB"));
    std::filesystem::create_symlink("loop.toml", files.path("user/loop.toml"));
    BOOST_TEST(contains(failure("loop"), "Too many levels of symbolic links"));
    BOOST_TEST(contains(failure(files.path("user/none.toml")), "No such file or directory"));
}

BOOST_AUTO_TEST_CASE(a_wrong_profile_of_the_users_does_not_fall_through_to_the_built_in_one) {
    files.write("built-in/strict.toml", "");
    files.write("user/strict.toml", "nonsense");
    BOOST_TEST(contains(failure("strict"), files.path("user/strict.toml") + ":1:"));
}

BOOST_AUTO_TEST_CASE(extends_merges_from_the_base_up_and_remembers) {
    files.write("built-in/default.toml", "[filesystem]\ntmpfs = [\"/a\"]\nhide = [\"/x\"]\n[ids]\nmap = \"auto\"\n");
    files.write("built-in/middle.toml", "extends = \"default\"\n[ids]\nmap = \"full\"\n");
    files.write("user/top.toml",
                "extends = \"middle\"\n[filesystem]\ntmpfs = { add = [\"/b\"] }\nhide = []\n[ids]\nmap = \"self\"\n");
    const Profile profile = load_profile("top", search);
    BOOST_TEST(profile.name == "top");
    const std::vector<std::string> lineage = {files.path("built-in/default.toml"), files.path("built-in/middle.toml"),
                                              files.path("user/top.toml")};
    BOOST_TEST(profile.lineage == lineage, boost::test_tools::per_element());
    BOOST_TEST(*profile.ids.map.value == "self");
    BOOST_REQUIRE(profile.ids.map.overridden.size() == 2);
    BOOST_TEST(profile.ids.map.overridden[1].first == "full");
    BOOST_TEST(profile.filesystem.tmpfs.items.size() == 2);
    BOOST_TEST(profile.filesystem.hide.items.empty());
    BOOST_TEST(profile.filesystem.hide.overridden.at(0).text == "/x");
}

BOOST_AUTO_TEST_CASE(a_path_in_extends_starts_where_the_profile_stands) {
    files.write("project/base/root.toml", "description = \"base\"\n");
    files.write("project/own.toml", "extends = \"base/root.toml\"\n");
    BOOST_TEST(*load_profile(files.path("project/own.toml"), search).description.value == "base");
}

BOOST_AUTO_TEST_CASE(a_profile_that_extends_its_own_name_builds_on_the_one_that_it_shadows) {
    files.write("built-in/strict.toml", "[filesystem]\ntmpfs = [\"/built-in\"]\n");
    files.write("user/strict.toml", "extends = \"strict\"\n[filesystem]\ntmpfs = { add = [\"/user\"] }\n");
    const Profile profile = load_profile("strict", search);
    BOOST_TEST(profile.filesystem.tmpfs.items.size() == 2);
    BOOST_TEST(profile.lineage.size() == 2);
    files.write("built-in/strict.toml", "extends = \"strict\"\n");
    const std::string message = failure("strict");
    BOOST_TEST(contains(message, files.path("built-in/strict.toml") + ":1:11: cannot find the profile 'strict'"));
    BOOST_TEST(contains(message, "shadows"));
}

BOOST_AUTO_TEST_CASE(profiles_that_extend_each_other_in_a_circle_are_an_error_that_names_the_chain) {
    files.write("user/a.toml", "extends = \"b\"\n");
    files.write("user/b.toml", "extends = \"c\"\n");
    files.write("user/c.toml", "extends = \"a\"\n");
    const std::string message = failure("a");
    BOOST_TEST(message.starts_with(files.path("user/c.toml") + ":1:11: profiles extend each other in a circle"));
    BOOST_TEST(contains(message, "a -> b -> c -> a"));
    std::filesystem::create_symlink("a.toml", files.path("user/again.toml"));
    files.write("user/c.toml", "extends = \"again\"\n");
    BOOST_TEST(contains(failure("a"), "in a circle")); // another name of the same file
    files.write("user/self.toml", "[seccomp]\nextends = \"./self.toml\"\n");
    BOOST_TEST(contains(failure("self"), "in a circle"));
}

BOOST_AUTO_TEST_CASE(an_endless_chain_is_bounded) {
    for (int i = 0; i < 40; ++i) {
        files.write("user/p" + std::to_string(i) + ".toml", "extends = \"p" + std::to_string(i + 1) + "\"\n");
    }
    BOOST_TEST(contains(failure("p0"), "more than 16 profiles extend each other"));
}

BOOST_AUTO_TEST_CASE(a_missing_base_names_the_line_that_wants_it) {
    files.write("user/top.toml", "\nextends = \"nowhere\"\n");
    BOOST_TEST(failure("top").starts_with(files.path("user/top.toml") + ":2:11: cannot find the profile 'nowhere'"));
}

BOOST_AUTO_TEST_CASE(seccomp_extends_takes_another_profiles_table_in_place_of_the_inherited_one) {
    files.write("built-in/default.toml", "[seccomp]\ndefault = \"deny\"\nallow = [\"read\"]\n"
                                         "[[seccomp.rule]]\nsyscalls = [\"x\"]\naction = \"allow\"\n");
    files.write("built-in/small.toml", "[ids]\nmap = \"self\"\n[seccomp]\ndefault = \"kill\"\nallow = [\"write\"]\n");
    files.write("user/top.toml", "extends = \"default\"\n[seccomp]\nextends = \"small\"\nallow = [\"open\"]\n");
    const Profile profile = load_profile("top", search);
    const std::vector<std::string> expected = {"seccomp.extends = small", "seccomp.default = kill",
                                               "seccomp.allow has write", "seccomp.allow has open"};
    const std::vector<std::string> found = words_of(profile);
    BOOST_TEST(found == expected, boost::test_tools::per_element());
    BOOST_TEST(profile.seccomp.allow.overridden.at(0).text == "read");
    BOOST_TEST(profile.seccomp.default_action.overridden.at(0).first == "deny");
    BOOST_TEST(!profile.ids.map); // only the table
}

BOOST_AUTO_TEST_CASE(seccomp_extends_none_starts_from_an_empty_table) {
    files.write("built-in/default.toml", "[seccomp]\ndefault = \"deny\"\nallow = [\"read\"]\n");
    files.write("user/off.toml", "extends = \"default\"\n[seccomp]\nextends = \"none\"\n");
    const Profile off = load_profile("off", search);
    BOOST_TEST(*off.seccomp.default_action.value == "allow"); // no filter at all
    BOOST_TEST(off.seccomp.allow.items.empty());
    BOOST_TEST(*off.seccomp.base_profile.value == "none");
    files.write("user/own.toml", "extends = \"default\"\n[seccomp]\nextends = \"none\"\nallow = [\"write\"]\n");
    const Profile own = load_profile("own", search);
    BOOST_TEST(!own.seccomp.default_action); // what is not allowed is denied
    BOOST_TEST(own.seccomp.allow.items.size() == 1);
}

BOOST_AUTO_TEST_CASE(every_profile_is_listed_and_what_is_shadowed_is_marked) {
    files.write("built-in/strict.toml", "");
    files.write("built-in/default.toml", "");
    files.write("user/strict.toml", "");
    files.write("user/notes.txt", "");
    files.write("user/.hidden.toml", "");
    const std::vector<FoundProfile> found = list_profiles(search);
    BOOST_REQUIRE(found.size() == 3);
    BOOST_TEST(found[0].name == "default");
    BOOST_TEST(found[1].path == files.path("user/strict.toml"));
    BOOST_TEST(!found[1].shadowed);
    BOOST_TEST(found[2].path == files.path("built-in/strict.toml"));
    BOOST_TEST(found[2].shadowed);
}

BOOST_AUTO_TEST_SUITE_END()
