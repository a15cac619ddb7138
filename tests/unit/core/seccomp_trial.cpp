// A filter on trial: it is asked about what it would refuse, and nothing else becomes of it.
#include <linux/audit.h>
#include <sys/syscall.h>

#include <boost/test/unit_test.hpp>
#include <cerrno>

#include "core/base/error.hpp"
#include "core/plan/seccomp_plan.hpp"
#include "core/seccomp.hpp"
#include "tests/support/bpf_evaluator.hpp"
#include "tests/support/seccomp_words.hpp"

using namespace sandbox;
using namespace sandbox::test;

namespace {

SeccompPlan a_plan(const char* default_action = "deny") {
    return plan_seccomp(filter(default_action, {"@basic-io", "execve", "exit_group"}, {},
                               {rule({"ptrace"}, "kill"), rule({"clone3"}, "ENOSYS"),
                                rule({"socket"}, "allow", {when(0, "==", {"AF_UNIX"})})}));
}

seccomp::Filter on_trial(const SeccompPlan& plan, std::span<const std::uint32_t> numbers = {}) {
    return seccomp::on_trial({}, seccomp::compile(plan), plan, numbers);
}

} // namespace

BOOST_AUTO_TEST_SUITE(seccomp_trial)

BOOST_AUTO_TEST_CASE(what_the_profile_refuses_is_asked_about_and_the_rest_passes) {
    for (const char* default_action : {"deny", "kill", "log"}) {
        const SeccompPlan plan = a_plan(default_action);
        const seccomp::Program plain = seccomp::compile(plan);
        const seccomp::Filter tried = on_trial(plan);
        BOOST_TEST(tried.plain.empty());
        BOOST_TEST(tried.asks_about_allowed);
        BOOST_TEST(seccomp::is_well_formed(tried.reporting.instructions));
        for (std::uint32_t number = 0; number < 520; ++number) {
            for (const std::uint64_t argument : {1U, 40U}) { // AF_UNIX, AF_VSOCK
                const seccomp_data call = system_call(number, {argument});
                const std::uint32_t answer = seccomp::evaluate(plain, call);
                const std::uint32_t action = answer & SECCOMP_RET_ACTION_FULL;
                const bool passes =
                    action == SECCOMP_RET_ALLOW || action == SECCOMP_RET_LOG || answer == (SECCOMP_RET_ERRNO | ENOSYS);
                BOOST_TEST(seccomp::evaluate(tried.reporting, call) ==
                               (passes ? SECCOMP_RET_ALLOW : SECCOMP_RET_USER_NOTIF),
                           default_action << " " << number);
                const auto refusal = tried.trial->refusal(call);
                BOOST_TEST(refusal.has_value() != passes, default_action << " " << number);
                BOOST_TEST((passes ||
                            *refusal == static_cast<int>(action == SECCOMP_RET_ERRNO ? answer & SECCOMP_RET_DATA : 0)));
            }
        }
        BOOST_TEST(tried.trial->refusal(system_call(SYS_ptrace, {})).value_or(-1) == 0);
    }
}

BOOST_AUTO_TEST_CASE(calls_of_another_architecture_would_be_killed_and_are_asked_about) {
    const seccomp::Filter tried = on_trial(a_plan());
    const seccomp_data foreign = foreign_call(AUDIT_ARCH_PPC64, 1, {});
    BOOST_TEST(seccomp::evaluate(tried.reporting, foreign) == SECCOMP_RET_USER_NOTIF);
    BOOST_TEST(tried.trial->refusal(foreign).value_or(-1) == 0);
}

BOOST_AUTO_TEST_CASE(the_calls_that_are_to_be_watched_are_asked_about_too) {
    const std::uint32_t watched[] = {SYS_execve};
    const seccomp::Filter tried = on_trial(a_plan(), watched);
    const seccomp_data call = system_call(SYS_execve, {});
    BOOST_TEST(seccomp::evaluate(tried.reporting, call) == SECCOMP_RET_USER_NOTIF);
    BOOST_TEST(!tried.trial->refusal(call).has_value());
}

BOOST_AUTO_TEST_CASE(without_a_filter_to_try_nothing_is_refused) {
    const SeccompPlan plan = a_plan("allow");
    const seccomp::Filter tried = seccomp::on_trial({}, {}, plan, {});
    const seccomp_data call = system_call(SYS_ptrace, {});
    BOOST_TEST(seccomp::evaluate(tried.reporting, call) == SECCOMP_RET_ALLOW);
    BOOST_TEST(!tried.trial->refusal(call).has_value());
}

BOOST_AUTO_TEST_CASE(a_filter_that_guards_cmd_is_never_on_trial) {
    const SeccompPlan plan = a_plan();
    const seccomp::Filter guarding{.plain = seccomp::compile(plan), .reporting = {}};
    BOOST_CHECK_THROW(static_cast<void>(seccomp::on_trial(guarding, seccomp::compile(plan), plan, {})), Error);
}

BOOST_AUTO_TEST_SUITE_END()
