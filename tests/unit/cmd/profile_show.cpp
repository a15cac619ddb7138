// `sandboxctl profile show`: what it prints loads back to the same profile.
#include <nlohmann/json.hpp>

#include "cmd/common/profile_file.hpp"
#include "cmd/common/profile_text.hpp"
#include "cmd/common/profile_writer.hpp"
#include "tests/unit/cmd/cmd_test.hpp"

using namespace sandbox;
using namespace sandbox::test;

namespace {

/// What the profile says, but for where its [seccomp] table came from: that table is written out.
std::vector<std::string> resolved_words(const Profile& profile) {
    std::vector<std::string> words = words_of(profile);
    std::erase_if(words, [](const std::string& word) { return word.starts_with("seccomp.extends"); });
    return words;
}

void shows_itself(const Profile& profile) {
    const std::vector<std::string> before = resolved_words(profile);
    const std::vector<std::string> after =
        resolved_words(parse_profile(profile_to_toml(profile), "shown.toml").profile);
    BOOST_TEST(!before.empty());
    BOOST_TEST(after == before, boost::test_tools::per_element());
}

} // namespace

BOOST_AUTO_TEST_SUITE(profile_show)

BOOST_AUTO_TEST_CASE(every_built_in_profile_loads_back_to_itself) {
    const ProfileSearch search{{"profiles"}};
    const std::vector<FoundProfile> found = list_profiles(search);
    BOOST_TEST(found.size() >= 4);
    for (const FoundProfile& profile : found) {
        BOOST_TEST_CONTEXT(profile.name) {
            shows_itself(load_profile(profile.name, search));
        }
    }
}

BOOST_AUTO_TEST_CASE(odd_words_load_back_to_themselves) {
    shows_itself(parse_profile(R"(
description = "quotes \" and \\ and \u001b and \n and \u007f and é"
[filesystem]
hide = ["/a\tb", "/#x", "/a\nb"]
tmpfs = []
[environment]
clear = true
set = { A = "1\n2", _b = "" }
[seccomp]
extends = "none"
[[seccomp.rule]]
syscalls = ["ioctl"]
action = "deny"
when = [{ arg = 1, op = "&", value = [0x20008, "0xffffffffffffffff", "TIOCSTI"] }, { arg = 2, value = -1 }]
)",
                               "my.toml")
                     .profile);
}

BOOST_AUTO_TEST_CASE(each_value_names_its_origin_and_what_it_overrode) {
    const TemporaryDirectory files;
    files.write("base.toml", "[ids]\nmap = \"auto\"\n[filesystem]\nhide = [\"/old\"]\n");
    files.write("top.toml", "extends = \"base\"\n[ids]\nmap = \"self\"\n[filesystem]\nhide = []\n");
    const std::string text = profile_to_toml(load_profile("top", {{files.path()}}));
    const std::string base = files.path("base.toml");
    const std::string top = files.path("top.toml");
    BOOST_TEST(contains(text, "map = \"self\"  # " + top + ":3:7\n"));
    BOOST_TEST(contains(text, "# " + top + ":3:7 overrides 'auto' from " + base + ":2:7\n"));
    BOOST_TEST(contains(text, "hide = []  # " + top + ":5:8\n"));
    BOOST_TEST(contains(text, "# " + top + ":5:8 overrides '/old' from " + base + ":4:9\n"));
}

BOOST_AUTO_TEST_CASE(of_three_layers_each_names_the_next_as_what_overrode_it) {
    const TemporaryDirectory files;
    const std::string low = files.write("low.toml", "[ids]\nmap = \"auto\"\n[filesystem]\nhide = [\"/low\"]\n");
    const std::string middle =
        files.write("middle.toml", "extends = \"low\"\nids.map = \"self\"\nfilesystem.hide = [\"/middle\"]\n");
    const std::string top =
        files.write("top.toml", "extends = \"middle\"\nids.map = \"full\"\nfilesystem.hide = [\"/top\"]\n");
    const std::string text = profile_to_toml(load_profile("top", {{files.path()}}));
    BOOST_TEST(contains(text, "# " + middle + ":2:11 overrides 'auto' from " + low + ":2:7\n"));
    BOOST_TEST(contains(text, "# " + top + ":2:11 overrides 'self' from " + middle + ":2:11\n"));
    BOOST_TEST(contains(text, "# " + middle + ":3:20 overrides '/low' from " + low + ":4:9\n"));
    BOOST_TEST(contains(text, "# " + top + ":3:19 overrides '/middle' from " + middle + ":3:20\n"));
}

BOOST_AUTO_TEST_CASE(the_json_holds_every_value_with_its_origin) {
    const TemporaryDirectory files;
    files.write("base.toml", "[environment]\nset = { A = \"1\" }\n[filesystem]\nhide = [\"/x\"]\n");
    files.write("top.toml", "extends = \"base\"\n[environment]\nset = { A = \"2\" }\n");
    const auto json = nlohmann::json::parse(profile_to_json(load_profile("top", {{files.path()}})));
    BOOST_TEST(json["name"] == "top");
    BOOST_TEST(json["files"].size() == 2U);
    BOOST_TEST(json["environment"]["set"]["A"]["value"] == "2");
    BOOST_TEST(json["environment"]["set"]["A"]["origin"]["line"] == 3);
    BOOST_TEST(json["filesystem"]["hide"][0]["value"] == "/x");
    BOOST_TEST(json["overridden"][0]["key"] == "environment.set.A");
    BOOST_TEST(json["overridden"][0]["by"]["source"] == files.path("top.toml"));
}

BOOST_AUTO_TEST_SUITE_END()
