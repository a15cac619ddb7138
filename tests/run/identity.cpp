// Who CMD is: ids, maps, groups.
#include <sys/stat.h>
#include <unistd.h>

#include <boost/test/unit_test.hpp>
#include <filesystem>
#include <sstream>

#include "tests/support/count.hpp"
#include "tests/support/world.hpp"

namespace fs = std::filesystem;
using namespace sandbox::test;

BOOST_FIXTURE_TEST_SUITE(identity, World)

BOOST_AUTO_TEST_CASE(cmd_keeps_the_users_own_id) {
    const Result own = strict_sh("id -u; id -g; id -un");
    BOOST_TEST(own.out == std::to_string(user().uid) + "\n" + std::to_string(user().gid) + "\n" + user().name + "\n",
               own);
}

BOOST_AUTO_TEST_CASE(root_inside_is_the_user_outside) {
    const Result root = sandbox(
        {"--profile", "strict", "--root", "--rw", project.string(), "--", "sh", "-c", "id -u; id -g; touch made"});
    BOOST_TEST(root.out == "0\n0\n", root);
    struct stat status {};
    BOOST_REQUIRE(::stat((project / "made").c_str(), &status) == 0);
    BOOST_TEST(status.st_uid == user().uid);
    BOOST_TEST(status.st_gid == user().gid);
}

BOOST_AUTO_TEST_CASE(a_number_can_be_asked_for) {
    NEEDS(user().subordinate.second > 0, "this user has no subordinate range");
    const Result asked = sandbox({"--profile", "strict", "--user", "4242:4343", "--", "sh", "-c", "id -u; id -g"});
    BOOST_TEST(asked.out == "4242\n4343\n", asked);
}

BOOST_AUTO_TEST_CASE(the_whole_subordinate_range_is_mapped) {
    NEEDS(user().subordinate.second > 0, "this user has no subordinate range");
    for (const char* file : {"uid_map", "gid_map"}) {
        const Result map = strict_sh(std::string("cat /proc/self/") + file);
        std::istringstream lines(map.out);
        unsigned long total = 0;
        bool own = false;
        for (unsigned long inside_id = 0, outside_id = 0, count = 0; lines >> inside_id >> outside_id >> count;) {
            total += count;
            own = own || (inside_id == user().uid && outside_id == user().uid) ||
                  (inside_id == user().gid && outside_id == user().gid);
        }
        BOOST_TEST(own, map);
        BOOST_TEST(total >= user().subordinate.second, map);
    }
}

BOOST_AUTO_TEST_CASE(supplementary_groups_are_dropped) {
    NEEDS(started_by_root(), "only root can make a file of a group");
    write(project / "of-the-group", "GROUP SECRET\n", 0640);
    const gid_t group = user().groups.back() != user().gid ? user().groups.back() : user().groups.front();
    BOOST_REQUIRE(group != user().gid);
    BOOST_REQUIRE(::chown((project / "of-the-group").c_str(), 0, group) == 0);
    BOOST_TEST(sh("cat of-the-group").printed("GROUP SECRET"));
    const Result attack = inside("strict", {"sh", "-c", probe("privileges") + "; cat of-the-group"});
    BOOST_TEST(attack.printed("groups 0\n"), attack);
    BOOST_TEST(!attack.printed("GROUP SECRET"), attack);
}

BOOST_AUTO_TEST_CASE(kept_groups_are_kept_where_the_profile_says_so) {
    NEEDS(started_by_root(), "only root can make a file of a group");
    write(project / "of-the-group", "GROUP SECRET\n", 0640);
    const gid_t group = user().groups.back() != user().gid ? user().groups.back() : user().groups.front();
    BOOST_REQUIRE(::chown((project / "of-the-group").c_str(), 0, group) == 0);
    profile("keeps", "extends = \"strict\"\n[ids]\ngroups = \"keep\"\n");
    const Result control = sandbox({"--profile", "keeps", "--", "cat", "of-the-group"});
    BOOST_TEST(control.printed("GROUP SECRET"), control);
}

BOOST_AUTO_TEST_CASE(a_user_without_a_range_gets_a_single_id_map_where_groups_are_kept) {
    NEEDS(started_by_root(), "needs a user without a subordinate range");
    const fs::path place = fs::path(bare_user().home) / "world";
    write(place / "keeps.toml", "extends = \"strict\"\n[ids]\ngroups = \"keep\"\n");
    Options options;
    options.as = &bare_user();
    const Result kept = sandbox({"--profile", (place / "keeps.toml").string(), "--", "sh", "-c",
                                 "cat /proc/self/uid_map; id -u; cat /proc/self/setgroups"},
                                options);
    fs::remove_all(place);
    const std::string own = std::to_string(bare_user().uid);
    std::istringstream words(kept.out);
    std::string inside_id, outside_id, count, uid, setgroups;
    words >> inside_id >> outside_id >> count >> uid >> setgroups;
    BOOST_TEST(inside_id == own, kept);
    BOOST_TEST(outside_id == own, kept);
    BOOST_TEST(count == "1", kept);
    BOOST_TEST(uid == own, kept);
    BOOST_TEST(setgroups == "deny", kept);
}

BOOST_AUTO_TEST_CASE(no_other_id_can_be_taken) {
    const Result attack = inside("strict", {probe("attempt"), "setuid-root", "setgroups"});
    BOOST_TEST(attack.printed("setuid-root: EPERM"), attack);
    BOOST_TEST(attack.printed("setgroups: EPERM"), attack);
    const Result control = sandbox({"--profile", "permissive", "--cap-add", "setuid,setgid", "--ro", probe_directory(),
                                    "--", probe("attempt"), "setuid-root", "setgroups"});
    BOOST_TEST(control.printed("setuid-root: ok"), control);
    BOOST_TEST(control.printed("setgroups: ok"), control);
}

BOOST_AUTO_TEST_SUITE_END()
