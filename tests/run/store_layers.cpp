// What the layers of an image look like together: entry by entry what the rules make of them, and what umoci does.
#include <boost/test/unit_test.hpp>
#include <sstream>

#include "tests/support/count.hpp"
#include "tests/support/store_world.hpp"

using namespace sandbox::test;

BOOST_FIXTURE_TEST_SUITE(store_layers, StoreWorld)

BOOST_AUTO_TEST_CASE(the_merged_tree_equals_the_rules_and_umoci_for_every_image) {
    if (!installed("umoci")) {
        SKIP("umoci is not installed");
    }
    std::istringstream names(script("images.py", {"--list"}).out);
    int count = 0;
    for (std::string name; std::getline(names, name); ++count) {
        const std::string place = directory(made / (name + ".d"));
        const Result compared = script("equal.py", {sandboxctl_program(), name, place});
        BOOST_TEST(compared.status == 0, name << compared);
        BOOST_TEST(compared.printed("sandbox equal\n"), name << compared);
    }
    BOOST_TEST(count >= 20);
    expect_whole();
}

BOOST_AUTO_TEST_CASE(a_layer_that_depends_on_what_is_below_is_not_shared_with_another_base) {
    // The same upper layer, over two bases in which its parents and its whiteouts mean other things.
    for (const char* name : {"over-one", "over-other"}) {
        const Result made_both = script("more.py", {name, made / name});
        BOOST_TEST(made_both.status == 0, made_both);
        const Result imported = import({"--name", name, "--json", made / name});
        BOOST_TEST(imported.printed("\"new_layers\": 2"), imported);
    }
    // Over the same base again it is shared.
    BOOST_TEST(script("more.py", {"over-one-again", made / "again"}).status == 0);
    BOOST_TEST(import({"--name", "again", "--json", made / "again"}).printed("\"new_layers\": 0"));
    expect_whole();
}

BOOST_AUTO_TEST_SUITE_END()
