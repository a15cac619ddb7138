#include "core/user_namespace.hpp"

#include <sys/prctl.h>
#include <unistd.h>

#include <boost/test/unit_test.hpp>

using namespace sandbox;

BOOST_AUTO_TEST_SUITE(user_namespaces)

BOOST_AUTO_TEST_CASE(who_asks_in_one_is_closed_to_those_who_have_every_right_there) {
    IdsPlan plan;
    plan.uid_map = {{.inside = 0, .outside = ::getuid(), .count = 1}};
    plan.gid_map = {{.inside = 0, .outside = ::getgid(), .count = 1}};
    const Fd made = make_user_namespace(plan);
    const std::string dumpable =
        ask_in_user_namespace(made, [] { return std::to_string(::prctl(PR_GET_DUMPABLE, 0, 0, 0, 0)); });
    BOOST_TEST(dumpable == "0");
    // The control: this process is open, as every program is.
    BOOST_TEST(::prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) == 1);
}

BOOST_AUTO_TEST_SUITE_END()
