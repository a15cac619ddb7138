// A process is known by its number and its start time; its figures are those of its tree.
#include <sys/wait.h>
#include <unistd.h>

#include <boost/test/unit_test.hpp>
#include <csignal>

#include "core/base/child_process.hpp"
#include "core/base/sys.hpp"
#include "core/process_identity.hpp"
#include "core/process_table.hpp"

using namespace sandbox;

namespace {

ChildProcess sleeping() {
    int pidfd = -1;
    const pid_t pid = sys::clone(0, &pidfd);
    if (pid == 0) {
        for (;;) {
            ::pause();
        }
    }
    return {pid, Fd(pidfd)};
}

} // namespace

BOOST_AUTO_TEST_SUITE(process_identity)

BOOST_AUTO_TEST_CASE(a_process_that_lives_is_opened) {
    const ChildProcess child = sleeping();
    const ProcessIdentity identity = identify(child.pid());
    BOOST_TEST(identity.start_time > 0);
    BOOST_TEST(bool(open_process(identity)));
}

BOOST_AUTO_TEST_CASE(another_process_with_its_number_is_not_opened) {
    const ChildProcess child = sleeping();
    ProcessIdentity identity = identify(child.pid());
    --identity.start_time;
    BOOST_TEST(!open_process(identity));
    identity.start_time = 0;
    BOOST_TEST(!open_process(identity));
}

BOOST_AUTO_TEST_CASE(a_process_that_was_reaped_is_not_opened) {
    ProcessIdentity identity;
    {
        const ChildProcess child = sleeping();
        identity = identify(child.pid());
    }
    BOOST_TEST(!open_process(identity));
    BOOST_TEST(identify(identity.pid).start_time == 0);
}

BOOST_AUTO_TEST_CASE(a_tree_is_counted_from_its_root_and_a_tree_that_is_gone_is_none) {
    const ChildProcess child = sleeping();
    const ProcessTable table;
    const std::optional<TreeUsage> one = table.usage(identify(child.pid()), 0);
    BOOST_REQUIRE(one.has_value());
    BOOST_TEST(one->pids == 1);
    const std::optional<TreeUsage> two = table.usage(identify(::getpid()), 0);
    BOOST_REQUIRE(two.has_value());
    BOOST_TEST(two->pids >= 2);
    BOOST_TEST(two->resident_bytes > one->resident_bytes);
    ProcessIdentity other = identify(child.pid());
    --other.start_time;
    BOOST_TEST(!table.usage(other, 0).has_value());
}

BOOST_AUTO_TEST_SUITE_END()
