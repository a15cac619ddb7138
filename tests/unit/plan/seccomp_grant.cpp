#include <boost/test/unit_test.hpp>

#include "core/plan/seccomp_grant.hpp"
#include "core/plan/seccomp_plan.hpp"
#include "core/plan/syscall_values.hpp"
#include "tests/support/count.hpp"

using namespace sandbox;

namespace {

SeccompPlan a_plan() {
    Profile profile;
    profile.seccomp.allow.items = {{"execve", {}}};
    SeccompRule rule;
    rule.syscalls = {{"clone", {}}};
    rule.action = {"allow", {}};
    rule.conditions = {{.argument = 0, .op = "!&", .values = {{"CLONE_NEWUSER", {}}}, .origin = {}}};
    profile.seccomp.rules = {rule};
    return plan_seccomp(profile);
}

} // namespace

BOOST_AUTO_TEST_SUITE(seccomp_grant)

BOOST_AUTO_TEST_CASE(a_grant_names_the_option_and_the_line_and_what_is_narrowed_needs_a_rule) {
    const SeccompPlan plan = a_plan();
    BOOST_TEST((grant_for_call(plan, "ptrace", nullptr) ==
                Grant{.option = "--seccomp-allow ptrace", .profile = "seccomp.allow = [\"ptrace\"]", .advice = ""}));
    BOOST_TEST(grant_for_call(plan, "clone", nullptr).profile ==
               "seccomp.rule = [{ syscalls = [\"clone\"], action = \"allow\" }]");
    const Grant chroot = grant_for_call(plan, "chroot", nullptr);
    BOOST_TEST(chroot.option == "--seccomp-allow chroot --cap-add SYS_CHROOT");
    BOOST_TEST(chroot.profile == "seccomp.allow = [\"chroot\"]\ncapabilities.keep = { add = [\"SYS_CHROOT\"] }");
}

BOOST_AUTO_TEST_CASE(what_nothing_helps_or_nothing_should_has_advice_and_no_grant) {
    const SeccompPlan plan = a_plan();
    const SeccompEntry entry;
    for (const char* call : {"init_module", "keyctl", "mount", "bpf", "number 5000"}) {
        const Grant grant = grant_for_call(plan, call, nullptr);
        BOOST_TEST((grant.option.empty() && grant.profile.empty() && !grant.advice.empty()), call);
    }
    BOOST_TEST(grant_for_call(plan, "ptrace", &entry).option.empty());
    const Grant foreign = grant_for_call(plan, "number 20 of another architecture", nullptr);
    BOOST_TEST(foreign.advice.starts_with("seccomp.architectures "));
}

BOOST_AUTO_TEST_CASE(an_argument_is_told_as_the_man_pages_write_it) {
    using syscalls::argument_words;
    BOOST_TEST(argument_words("socket", 0, 40) == "AF_VSOCK");
    BOOST_TEST(argument_words("socket", 0, 1) == "AF_UNIX");
    BOOST_TEST(argument_words("socket", 0, 9999) == "0x270f");
    BOOST_TEST(argument_words("ioctl", 1, 0x5412) == "TIOCSTI");
    BOOST_TEST(argument_words("clone", 0, 0x10000000 | 0x20000000) == "CLONE_NEWPID|CLONE_NEWUSER");
    BOOST_TEST(argument_words("read", 0, 77) == "0x4d");
}

BOOST_AUTO_TEST_SUITE_END()
