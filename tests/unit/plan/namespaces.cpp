#include "tests/unit/plan/plan_test.hpp"

using namespace sandbox;
using namespace sandbox::test;

namespace {

struct NamespacesTest : PlanTest {
    void share(const std::string& word) { add(profile.namespaces.share, "--share", word); }
    void share_in_file(const std::string& word) { in_profile(profile.namespaces.share, word); }
    void mode(const std::string& word) { profile.network.mode.set(word, by_option("--net", word).origin); }
    void mode_in_file(const std::string& word) {
        profile.network.mode.set(word, in_file("", profile.lineage.front(), "network.mode").origin);
    }
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(namespaces, NamespacesTest)

BOOST_AUTO_TEST_CASE(all_are_new_unless_shared) {
    const NamespacesPlan all = plan().namespaces;
    BOOST_CHECK(all.pid && all.net && all.ipc && all.uts && all.cgroup);
    for (const char* word : {"pid", "net", "ipc", "uts", "cgroup"}) {
        share(word);
    }
    const NamespacesPlan none = plan().namespaces;
    BOOST_CHECK(!none.pid && !none.net && !none.ipc && !none.uts && !none.cgroup);
}

BOOST_AUTO_TEST_CASE(user_and_mount_namespaces_cannot_be_shared) {
    share("user");
    CHECK_SAYS(error(), "--share user: cannot share the namespace 'user'");
    profile.namespaces.share.items.clear();
    share("mnt");
    CHECK_SAYS(error(), "grant paths instead");
}

BOOST_AUTO_TEST_CASE(an_unknown_namespace_names_the_nearest) {
    share("cgroups");
    CHECK_SAYS(error(), "did you mean 'cgroup'?");
}

BOOST_AUTO_TEST_CASE(the_hosts_network_is_the_hosts_namespace) {
    mode("host");
    BOOST_CHECK(!plan().namespaces.net);
    mode("none");
    BOOST_CHECK(plan().namespaces.net);
}

BOOST_AUTO_TEST_CASE(the_later_of_mode_and_share_counts) {
    share_in_file("net");
    BOOST_CHECK(!plan().namespaces.net);
    mode("none");
    BOOST_CHECK(plan().namespaces.net);
    profile.network.mode = {};
    profile.namespaces.share.items.clear();
    mode_in_file("none");
    share("net");
    BOOST_CHECK(!plan().namespaces.net);
}

BOOST_AUTO_TEST_CASE(a_layer_that_contradicts_itself_about_the_network_is_an_error) {
    mode("none");
    share("net");
    CHECK_SAYS(error(), "--net none says that there is no network");
}

BOOST_AUTO_TEST_CASE(a_mode_that_does_not_exist_is_an_error) {
    mode("hosts");
    CHECK_SAYS(error(), "did you mean 'host'?");
}

BOOST_AUTO_TEST_CASE(the_hostname_is_checked) {
    BOOST_CHECK_EQUAL(plan().namespaces.hostname, "sandbox");
    profile.namespaces.hostname.set("build-7.example", by_option("--hostname", "").origin);
    BOOST_CHECK_EQUAL(plan().namespaces.hostname, "build-7.example");
    for (const std::string& bad : {std::string(), std::string("a b"), std::string("a/b"), std::string("a_b"),
                                   std::string("ä"), std::string("a\n"), std::string(65, 'a')}) {
        profile.namespaces.hostname.set(bad, by_option("--hostname", bad).origin);
        CHECK_SAYS(error(), "for a hostname");
    }
    profile.namespaces.hostname.set(std::string(64, 'a'), by_option("--hostname", "").origin);
    BOOST_CHECK_EQUAL(error(), "");
}

BOOST_AUTO_TEST_CASE(a_named_sandbox_has_its_name_for_hostname) {
    command.name = "web";
    profile.namespaces.hostname.set("box", in_file("").origin);
    BOOST_CHECK_EQUAL(plan().namespaces.hostname, "web");
    profile.namespaces.hostname.set("mine", by_option("--hostname", "mine").origin);
    BOOST_CHECK_EQUAL(plan().namespaces.hostname, "mine");
    command.name = "no spaces"; // also where it is not the hostname
    CHECK_SAYS(error(), "--name: cannot name a sandbox 'no spaces'");
}

BOOST_AUTO_TEST_CASE(the_hosts_uts_namespace_keeps_its_name) {
    share("uts");
    profile.namespaces.hostname.set("box", in_file("").origin);
    BOOST_CHECK_EQUAL(plan().namespaces.hostname, "");
    profile.namespaces.hostname.set("mine", by_option("--hostname", "mine").origin);
    CHECK_SAYS(error(), "--hostname mine: cannot set the hostname");
}

BOOST_AUTO_TEST_SUITE_END()
