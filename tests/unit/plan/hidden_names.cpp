// The links of the private home that tell which of the usual secrets CMD looked at.
#include <set>

#include "core/plan/secret_names.hpp"
#include "tests/unit/plan/plan_test.hpp"

using namespace sandbox;
using namespace sandbox::test;

namespace {

struct HiddenNamesTest : PlanTest {
    [[nodiscard]] std::set<std::string> names() const {
        std::set<std::string> found;
        for (const HiddenName& name : plan().root.hidden_names.list) {
            found.insert(name.name);
        }
        return found;
    }
    [[nodiscard]] bool has_name(const std::string& name) const { return names().contains(name); }
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(hidden_names, HiddenNamesTest)

BOOST_AUTO_TEST_CASE(a_private_home_has_a_link_for_each_name_of_the_list) {
    const HiddenNames hidden = plan().root.hidden_names;
    BOOST_TEST(hidden.home == "/home/dev");
    BOOST_TEST(written_at(hidden.origin) == "/usr/share/sandbox/profiles/test.toml:9:3: filesystem.tmpfs");
    BOOST_REQUIRE(hidden.list.size() == secret_names().size());
    const HiddenName& first = hidden.list.front();
    BOOST_TEST(first.name == "~/.ssh");
    BOOST_TEST(first.source == "/home/dev/.ssh");
    BOOST_TEST(first.path == "/home/dev/.ssh");
    BOOST_TEST(first.target == "/home/dev/.sandbox/.ssh");
    BOOST_TEST(first.is_directory);
    CHECK_LINES(hidden.directories, {"/home/dev/.sandbox", "/home/dev/.config", "/home/dev/.cargo"});
}

BOOST_AUTO_TEST_CASE(every_name_of_the_list_has_a_target_of_its_own_and_a_short_way) {
    std::set<std::string> targets;
    for (const HiddenName& name : plan().root.hidden_names.list) {
        BOOST_TEST(targets.insert(name.target).second, name.target);
        BOOST_TEST(name.name.starts_with("~/."), name.name);
        BOOST_TEST(!contains(name.name, ".."), name.name);
    }
}

BOOST_AUTO_TEST_CASE(what_the_host_has_changes_nothing) {
    const auto with = names();
    machine.remove("/home/dev/.ssh");
    machine.file("/home/dev/.npmrc");
    machine.link("/home/dev/.aws", "/srv/data");
    BOOST_CHECK(names() == with);
}

BOOST_AUTO_TEST_CASE(a_granted_name_has_no_link) {
    BOOST_TEST(has_name("~/.ssh"));
    ro("~/.ssh");
    BOOST_TEST(!has_name("~/.ssh"));
    BOOST_TEST(has_name("~/.aws"));
}

BOOST_AUTO_TEST_CASE(a_name_in_which_something_is_granted_has_no_link) {
    ro("~/.ssh/id_ed25519");
    BOOST_TEST(!has_name("~/.ssh"));
    BOOST_TEST(has_name("~/.aws"));
}

BOOST_AUTO_TEST_CASE(a_granted_parent_is_the_hosts_and_gets_no_link) {
    machine.directory("/home/dev/.config/gh");
    BOOST_TEST(has_name("~/.config/gh"));
    ro("~/.config");
    BOOST_TEST(!has_name("~/.config/gh"));
    BOOST_TEST(!has_name("~/.config/gcloud"));
    BOOST_TEST(has_name("~/.ssh"));
}

BOOST_AUTO_TEST_CASE(a_link_of_the_host_that_a_grant_walks_stays_that_link) {
    machine.directory("/home/dev/dot/kube");
    machine.link("/home/dev/.kube", "dot/kube");
    ro("~/.kube");
    BOOST_TEST(!has_name("~/.kube"));
    BOOST_TEST(has("link /home/dev/.kube -> dot/kube"));
}

BOOST_AUTO_TEST_CASE(a_private_directory_at_a_name_stays_one) {
    tmpfs("~/.config");
    BOOST_TEST(!has_name("~/.config/gh"));
    BOOST_TEST(has_name("~/.ssh"));
}

BOOST_AUTO_TEST_CASE(where_the_targets_would_be_nothing_of_a_grants_is_disturbed) {
    machine.directory("/home/dev/.sandbox");
    BOOST_TEST(!names().empty());
    rw("~/.sandbox");
    BOOST_TEST(names().empty());
}

BOOST_AUTO_TEST_CASE(a_home_that_is_granted_gets_no_link) {
    rw("~");
    BOOST_TEST(names().empty());
}

BOOST_AUTO_TEST_CASE(a_home_that_is_not_there_gets_no_link) {
    profile.filesystem.tmpfs.items.clear();
    BOOST_TEST(names().empty());
    tmpfs("~");
    BOOST_TEST(!names().empty());
}

BOOST_AUTO_TEST_CASE(a_linked_home_has_its_links_where_it_is) {
    machine.remove("/home/dev");
    machine.directory("/data/home/dev/project");
    machine.link("/home", "/data/home");
    const HiddenNames hidden = plan().root.hidden_names;
    BOOST_TEST(hidden.home == "/data/home/dev");
    BOOST_REQUIRE(!hidden.list.empty());
    BOOST_TEST(hidden.list.front().path == "/data/home/dev/.ssh");
    BOOST_TEST(hidden.list.front().source == "/home/dev/.ssh");
}

BOOST_AUTO_TEST_CASE(the_home_of_a_tree_of_its_own_is_not_ours_to_fill) {
    profile.filesystem.root.set("image", by_option("--image web", "").origin);
    profile.filesystem.image.set("web", by_option("--image web", "").origin);
    tmpfs("~");
    BOOST_TEST(names().empty());
}

BOOST_AUTO_TEST_SUITE_END()
