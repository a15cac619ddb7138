#include "tests/unit/plan/plan_test.hpp"

#include <linux/capability.h>

using namespace sandbox;
using namespace sandbox::test;

namespace {

struct CapabilitiesTest : PlanTest {
    void keep(const std::string& word) { add(profile.capabilities.keep, "--cap-add", word); }
    void drop(const std::string& word) { add(profile.capabilities.drop, "--cap-drop", word); }
    [[nodiscard]] std::vector<int> kept() const { return plan().capabilities.keep; }
};

using Numbers = std::vector<int>;

} // namespace

BOOST_FIXTURE_TEST_SUITE(capabilities, CapabilitiesTest)

BOOST_AUTO_TEST_CASE(none_is_kept_by_default) {
    BOOST_CHECK(kept().empty());
}

BOOST_AUTO_TEST_CASE(a_name_is_written_as_people_write_it) {
    for (const char* word : {"net_raw", "NET_RAW", "CAP_NET_RAW", "cap_net_raw"}) {
        profile.capabilities.keep.items.clear();
        keep(word);
        BOOST_CHECK(kept() == Numbers{CAP_NET_RAW});
    }
}

BOOST_AUTO_TEST_CASE(they_are_sorted_and_named_once_with_their_origin) {
    keep("sys_chroot");
    keep("chown");
    keep("CAP_CHOWN");
    BOOST_CHECK((kept() == Numbers{CAP_CHOWN, CAP_SYS_CHROOT}));
    BOOST_CHECK_EQUAL(plan().capabilities.origins[1].source, "--cap-add sys_chroot");
    BOOST_CHECK_EQUAL(plan().capabilities.origins.size(), 2U);
}

BOOST_AUTO_TEST_CASE(all_is_every_capability) {
    keep("all");
    BOOST_CHECK_EQUAL(kept().size(), static_cast<std::size_t>(CAP_LAST_CAP) + 1);
    drop("sys_admin");
    BOOST_CHECK_EQUAL(kept().size(), static_cast<std::size_t>(CAP_LAST_CAP));
}

BOOST_AUTO_TEST_CASE(all_can_be_dropped_and_one_added_in_one_command) {
    in_profile(profile.capabilities.keep, "chown");
    drop("all");
    keep("net_raw");
    BOOST_CHECK(kept() == Numbers{CAP_NET_RAW});
}

BOOST_AUTO_TEST_CASE(a_later_layer_wins) {
    in_profile(profile.capabilities.keep, "chown");
    in_profile(profile.capabilities.drop, "kill");
    drop("chown");
    keep("kill");
    BOOST_CHECK(kept() == Numbers{CAP_KILL});
}

BOOST_AUTO_TEST_CASE(one_layer_that_keeps_and_drops_the_same_is_an_error) {
    keep("chown");
    drop("chown");
    CHECK_SAYS(error(), "--cap-add chown: cannot keep the capability 'chown'");
    CHECK_SAYS(error(), "--cap-drop chown drops it");
}

BOOST_AUTO_TEST_CASE(an_unknown_name_names_the_nearest) {
    keep("net_rwa");
    CHECK_SAYS(error(), "--cap-add net_rwa: there is no capability 'net_rwa'");
    CHECK_SAYS(error(), "did you mean 'net_raw'?");
    profile.capabilities.keep.items.clear();
    drop("CAP_");
    CHECK_SAYS(error(), "there is no capability 'CAP_'");
}

BOOST_AUTO_TEST_CASE(a_drop_without_effect_is_said) {
    drop("chown");
    CHECK_SAYS(notices(), "--cap-drop chown: 'chown' is not kept");
    profile.capabilities.drop.items.clear();
    drop("all");
    BOOST_CHECK_EQUAL(notices(), "");
}

BOOST_AUTO_TEST_SUITE_END()
