// Tests that need a machine with systemd and cgroup v2: `make check-workstation` boots one and runs them inside.
#define BOOST_TEST_MODULE workstation
#include <boost/test/included/unit_test.hpp>

#include <csignal>

namespace {

struct NoBrokenPipes {
    NoBrokenPipes() { std::signal(SIGPIPE, SIG_IGN); }
};

} // namespace

BOOST_TEST_GLOBAL_FIXTURE(NoBrokenPipes);
