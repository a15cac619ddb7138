#include "tests/support/count.hpp"

#include <unistd.h>

#include <boost/test/framework.hpp>
#include <boost/test/results_collector.hpp>
#include <boost/test/tree/observer.hpp>
#include <boost/test/tree/test_unit.hpp>
#include <boost/test/unit_test.hpp>
#include <cstdlib>
#include <fstream>
#include <iostream>

namespace sandbox::test {

namespace {

namespace ut = boost::unit_test;

/// Writes "passed NAME", "failed NAME" and "skipped NAME: reason" lines, and "took NAME SECONDS", to the file that
/// $SANDBOX_TEST_COUNTS names.
class Counter : public ut::test_observer {
public:
    void test_unit_finish(const ut::test_unit& unit, unsigned long microseconds) override {
        if (unit.p_type != ut::TUT_CASE) {
            return;
        }
        constexpr unsigned long kMicroseconds = 1'000'000;
        report("took " + unit.full_name() + " " + std::to_string(microseconds / kMicroseconds));
        const bool passed = ut::results_collector.results(unit.p_id).passed();
        if (!passed) {
            report("failed " + unit.full_name());
        } else if (!skip_.empty()) {
            std::cout << "skipped: " << unit.full_name() << ": " << skip_ << '\n';
            report("skipped " + unit.full_name() + ": " + skip_);
        } else {
            report("passed " + unit.full_name());
        }
        skip_.clear();
    }

    void skip(const std::string& reason) { skip_ = reason; }

private:
    static void report(const std::string& line) {
        if (const char* path = std::getenv("SANDBOX_TEST_COUNTS")) {
            std::ofstream(path, std::ios::app) << line << '\n';
        }
    }

    std::string skip_;
};

Counter& counter() {
    static Counter counter;
    return counter;
}

struct Register {
    Register() { ut::framework::register_observer(counter()); }
    ~Register() { ut::framework::deregister_observer(counter()); }
};

} // namespace

void skipped(const std::string& reason) {
    BOOST_TEST_MESSAGE("skipped: " << reason);
    counter().skip(reason);
}

} // namespace sandbox::test

using CountTestCases = sandbox::test::Register;
BOOST_TEST_GLOBAL_FIXTURE(CountTestCases);
