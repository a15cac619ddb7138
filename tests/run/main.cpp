// The run tests: the installed program, as an ordinary user, against the real kernel. `make check-run` starts them.
#define BOOST_TEST_MODULE run
#include <boost/test/included/unit_test.hpp>

#include <fcntl.h>
#include <sys/file.h>

#include <csignal>
#include <stdexcept>

#include "core/base/fd.hpp"

namespace {

/// One run of the tests at a time: two of them would see each other's processes.
struct Alone {
    Alone() {
        std::signal(SIGPIPE, SIG_IGN);
        lock.reset(::open("/tmp/sandbox-tests.lock", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0666));
        if (lock && ::flock(lock.get(), LOCK_EX) != 0) {
            throw std::runtime_error("cannot lock /tmp/sandbox-tests.lock");
        }
    }

    sandbox::Fd lock;
};

} // namespace

BOOST_TEST_GLOBAL_FIXTURE(Alone);
