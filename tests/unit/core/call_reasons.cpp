// Why a call was refused, and its name, from its registers.
#include "core/call_reasons.hpp"

#include <linux/audit.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include <boost/test/unit_test.hpp>

#include "core/plan/seccomp_plan.hpp"
#include "tests/support/bpf_evaluator.hpp"
#include "tests/support/seccomp_words.hpp"

using namespace sandbox;
using namespace sandbox::test;

namespace {

SeccompPlan a_plan() {
    return plan_seccomp(filter("deny", {"read", "socket", "execve"}, {"ptrace"},
                               {rule({"socket"}, "EACCES", {when(0, "==", {"AF_VSOCK"}), when(1, "==", {"1"})}),
                                rule({"socket"}, "EPERM", {when(0, "==", {"AF_VSOCK"})})}));
}

struct Reasons {
    SeccompPlan plan = a_plan();
    CallReasons reasons{plan};
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(call_reasons, Reasons)

BOOST_AUTO_TEST_CASE(an_entry_of_the_plan_is_the_reason_and_else_its_default) {
    const CallReason denied = reasons.reason(system_call(SYS_ptrace, {}));
    BOOST_REQUIRE(denied.entry != nullptr);
    BOOST_TEST(denied.entry->syscall.name == "ptrace");
    BOOST_TEST(denied.argument == -1);
    BOOST_TEST(reasons.reason(system_call(SYS_mount, {})).entry == nullptr);
}

BOOST_AUTO_TEST_CASE(two_rules_for_one_argument_are_two_reasons) {
    const CallReason both = reasons.reason(system_call(SYS_socket, {AF_VSOCK, 1}));
    const CallReason first = reasons.reason(system_call(SYS_socket, {AF_VSOCK, 2}));
    BOOST_REQUIRE((both.entry != nullptr && first.entry != nullptr));
    BOOST_TEST(both.entry->action.error_number == EACCES);
    BOOST_TEST(first.entry->action.error_number == EPERM);
    BOOST_TEST((both.argument == 0 && both.value == AF_VSOCK));
    // What stands above the low half is nothing to the filter.
    BOOST_TEST((reasons.reason(system_call(SYS_socket, {0xdead'0000'0000'0000 | AF_VSOCK, 2})) == first));
}

#if defined(__x86_64__)
BOOST_AUTO_TEST_CASE(a_call_is_named_whatever_its_number) {
    BOOST_TEST(reasons.name(AUDIT_ARCH_X86_64, 101) == "ptrace");
    BOOST_TEST(reasons.name(AUDIT_ARCH_X86_64, 9999) == "number 9999");
    BOOST_TEST(reasons.name(AUDIT_ARCH_I386, 26) == "number 26 of another architecture");
    SeccompPlan both = a_plan();
    both.architectures = {"x86_64", "x86", "x32"};
    const CallReasons more(both);
    BOOST_TEST(more.name(AUDIT_ARCH_I386, 26) == "ptrace");
    BOOST_TEST(more.name(AUDIT_ARCH_X86_64, 101) == "ptrace");
    BOOST_TEST(more.name(AUDIT_ARCH_X86_64, 0x40000000U | 521U) == "ptrace");
    BOOST_TEST(more.name(AUDIT_ARCH_I386, 425) == "io_uring_setup");
}
#endif

BOOST_AUTO_TEST_CASE(what_the_plan_calls_quiet_is_quiet) {
    BOOST_TEST(!reasons.is_quiet(system_call(SYS_mount, {})));
    plan.quiet = {"mount"};
    CallReasons silent(plan);
    BOOST_TEST(silent.is_quiet(system_call(SYS_mount, {})));
    BOOST_TEST(!silent.is_quiet(system_call(SYS_ptrace, {})));
}

BOOST_AUTO_TEST_SUITE_END()
