// Identity: uid and gid maps, the user inside, the groups.
#include "tests/unit/plan/plan_test.hpp"

#include "core/plan/ids_plan.hpp"

using namespace sandbox;
using namespace sandbox::test;

namespace {

using Map = std::vector<MapEntry>;

struct IdsTest : PlanTest {
    void map(const std::string& word) { profile.ids.map.set(word, in_file("", "p.toml", "ids.map").origin); }
    void user(const std::string& word) { profile.ids.user.set(word, by_option("--user", word).origin); }
    void groups(const std::string& word) { profile.ids.groups.set(word, in_file("", "p.toml", "ids.groups").origin); }
    [[nodiscard]] IdsPlan ids() const { return plan_ids(profile.ids, host, RootChoice{}); }
    void without_range() {
        host.subuids.clear();
        host.subgids.clear();
    }
};

std::uint64_t total(const Map& map) {
    std::uint64_t sum = 0;
    for (const MapEntry& line : map) {
        sum += line.count;
    }
    return sum;
}

} // namespace

BOOST_FIXTURE_TEST_SUITE(ids, IdsTest)

BOOST_AUTO_TEST_CASE(the_callers_id_keeps_its_number_and_the_range_fills_the_rest) {
    const IdsPlan plan = ids();
    BOOST_CHECK(plan.through_helpers);
    BOOST_CHECK((plan.uid_map == Map{{0, 100000, 1000}, {1000, 1000, 1}, {1001, 101000, 64536}}));
    BOOST_CHECK(plan.gid_map == plan.uid_map);
    BOOST_CHECK_EQUAL(plan.uid, 1000U);
    BOOST_CHECK_EQUAL(plan.gid, 1000U);
    BOOST_CHECK_EQUAL(plan.newuidmap, "/usr/bin/newuidmap");
    BOOST_CHECK(plan.drop_groups);
}

BOOST_AUTO_TEST_CASE(root_inside_is_the_caller_outside) {
    for (const char* word : {"root", "0", "0:0"}) {
        user(word);
        const IdsPlan plan = ids();
        BOOST_CHECK((plan.uid_map == Map{{0, 1000, 1}, {1, 100000, 65536}}));
        BOOST_CHECK_EQUAL(plan.uid, 0U);
        BOOST_CHECK_EQUAL(plan.gid, 0U);
    }
}

BOOST_AUTO_TEST_CASE(a_large_id_keeps_its_number_behind_the_range) {
    const std::vector<IdRange> range{{100000, 65536}};
    BOOST_CHECK((map_around(1000000000, 1000000000, range) == Map{{0, 100000, 65536}, {1000000000, 1000000000, 1}}));
}

BOOST_AUTO_TEST_CASE(several_ranges_are_all_used) {
    const std::vector<IdRange> ranges{{100000, 500}, {200000, 1000}};
    BOOST_CHECK((map_around(1000, 1000, ranges) ==
                 Map{{0, 100000, 500}, {500, 200000, 500}, {1000, 1000, 1}, {1001, 200500, 500}}));
}

BOOST_AUTO_TEST_CASE(no_id_outside_is_mapped_twice) {
    // The same range by name and by number, one that overlaps, and one that holds the caller's own id.
    const std::vector<IdRange> ranges{{100000, 10}, {100000, 10}, {100005, 10}, {995, 10}};
    const Map map = map_around(1000, 1000, ranges);
    BOOST_CHECK((map == Map{{0, 100000, 10}, {10, 100010, 5}, {15, 995, 5}, {20, 1001, 4}, {1000, 1000, 1}}));
}

BOOST_AUTO_TEST_CASE(a_map_has_at_most_340_lines_and_the_caller_is_one_of_them) {
    std::vector<IdRange> ranges;
    for (std::uint32_t i = 0; i < 500; ++i) {
        ranges.push_back({100000 + 10 * i, 5});
    }
    const Map map = map_around(1000, 1000, ranges);
    BOOST_CHECK_EQUAL(map.size(), 340U);
    BOOST_CHECK(std::ranges::count(map, MapEntry{1000, 1000, 1}) == 1);
    BOOST_CHECK(std::ranges::is_sorted(map, {}, &MapEntry::inside));
}

BOOST_AUTO_TEST_CASE(the_highest_ids_do_not_overflow) {
    const std::vector<IdRange> ranges{{0, 4294967295}};
    const Map map = map_around(1000, 1000, ranges);
    BOOST_CHECK_EQUAL(total(map), 4294967295U);
    for (const MapEntry& line : map) {
        BOOST_CHECK_LE(std::uint64_t{line.inside} + line.count, 4294967295U);
        BOOST_CHECK_LE(std::uint64_t{line.outside} + line.count, 4294967295U);
    }
}

BOOST_AUTO_TEST_CASE(without_a_range_the_callers_id_alone_is_mapped) {
    without_range();
    host.groups = {1000};
    const IdsPlan plan = ids();
    BOOST_CHECK(!plan.through_helpers);
    BOOST_CHECK((plan.uid_map == Map{{1000, 1000, 1}}));
    BOOST_CHECK((plan.gid_map == Map{{1000, 1000, 1}}));
    BOOST_CHECK(!plan.drop_groups);
}

BOOST_AUTO_TEST_CASE(root_of_a_single_id_map_is_the_caller) {
    without_range();
    host.groups.clear();
    user("root");
    BOOST_CHECK((ids().uid_map == Map{{0, 1000, 1}}));
}

BOOST_AUTO_TEST_CASE(self_maps_one_id_even_where_there_is_a_range) {
    map("self");
    groups("keep");
    BOOST_CHECK(!ids().through_helpers);
    BOOST_CHECK((ids().uid_map == Map{{1000, 1000, 1}}));
}

BOOST_AUTO_TEST_CASE(a_caller_who_is_root_works) {
    host.uid = 0;
    host.gid = 0;
    host.user_name = "root";
    host.groups = {0};
    without_range();
    BOOST_CHECK((ids().uid_map == Map{{0, 0, 1}}));
    host.subuids = host.subgids = {{100000, 65536}};
    BOOST_CHECK((ids().uid_map == Map{{0, 0, 1}, {1, 100000, 65536}}));
}

BOOST_AUTO_TEST_CASE(full_without_a_range_is_an_error_with_cause_and_fix) {
    map("full");
    without_range();
    host.free_subids = 165536;
    const std::string message = error();
    CHECK_SAYS(message, "p.toml:7:3: ids.map: cannot map the whole subordinate range");
    CHECK_SAYS(message, "cause: user dev has no range in /etc/subuid");
    CHECK_SAYS(message, "fix: sudo usermod --add-subuids 165536-231071 --add-subgids 165536-231071 dev");
}

BOOST_AUTO_TEST_CASE(full_without_a_range_of_groups_names_that_file) {
    map("full");
    host.subgids.clear();
    CHECK_SAYS(error(), "/etc/subgid");
}

BOOST_AUTO_TEST_CASE(full_without_newuidmap_names_the_package) {
    map("full");
    host.newuidmap.clear();
    CHECK_SAYS(error(), "newuidmap is not installed");
    CHECK_SAYS(error(), "uidmap");
}

BOOST_AUTO_TEST_CASE(a_user_without_a_name_has_no_helper) {
    map("full");
    host.user_name.clear();
    CHECK_SAYS(error(), "uid 1000 has no passwd entry");
    map("auto");
    host.groups.clear();
    BOOST_CHECK(!ids().through_helpers);
}

BOOST_AUTO_TEST_CASE(groups_that_cannot_be_dropped_are_an_error_and_not_a_shrug) {
    without_range();
    const std::string message = error();
    CHECK_SAYS(message, "cannot drop the supplementary groups 27, 998");
    CHECK_SAYS(message, "cause: user dev has no range in /etc/subuid");
    CHECK_SAYS(message, "fix: sudo usermod --add-subuids");
    CHECK_SAYS(message, "ids.groups = \"keep\"");
}

BOOST_AUTO_TEST_CASE(the_map_of_one_id_is_named_as_the_cause_of_kept_groups) {
    map("self");
    CHECK_SAYS(error(), "p.toml:7:3: ids.map asks for the single-id map");
}

BOOST_AUTO_TEST_CASE(kept_groups_are_kept_with_every_map) {
    groups("keep");
    BOOST_CHECK(!ids().drop_groups);
    without_range();
    BOOST_CHECK(!ids().drop_groups);
    BOOST_CHECK_EQUAL(error(), "");
}

BOOST_AUTO_TEST_CASE(a_user_of_the_range_can_be_chosen) {
    user("33");
    BOOST_CHECK_EQUAL(ids().uid, 33U);
    BOOST_CHECK_EQUAL(ids().gid, 1000U);
    user("33:34");
    BOOST_CHECK_EQUAL(ids().gid, 34U);
    BOOST_CHECK((ids().uid_map == Map{{0, 100000, 1000}, {1000, 1000, 1}, {1001, 101000, 64536}}));
}

BOOST_AUTO_TEST_CASE(a_user_that_is_not_mapped_is_an_error) {
    user("70000");
    CHECK_SAYS(error(), "--user 70000: cannot run as the user '70000'");
    CHECK_SAYS(error(), "uid 70000 is not mapped");
    user("33:70000");
    CHECK_SAYS(error(), "gid 70000 is not mapped");
    without_range();
    groups("keep");
    user("33");
    CHECK_SAYS(error(), "your own id only");
    CHECK_SAYS(error(), "no range in /etc/subuid");
    user("1000");
    BOOST_CHECK_EQUAL(error(), "");
}

BOOST_AUTO_TEST_CASE(a_user_is_a_whole_number_or_a_word) {
    for (const char* word :
         {"", "dev", "1000x", "-1", "+5", " 5", "1000:", ":1000", "1:2:3", "4294967295", "99999999999", "0x0"}) {
        user(word);
        CHECK_SAYS(error(), "cannot run as the user");
    }
}

BOOST_AUTO_TEST_CASE(an_unknown_word_names_the_nearest) {
    map("ful");
    CHECK_SAYS(error(), "did you mean 'full'?");
    map("auto");
    groups("dropp");
    CHECK_SAYS(error(), "p.toml:7:3: ids.groups: cannot take 'dropp'");
    CHECK_SAYS(error(), "did you mean 'drop'?");
}

BOOST_AUTO_TEST_SUITE_END()
