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
    SeccompRule sockets;
    sockets.syscalls = {{"socket", {}}};
    sockets.action = {"allow", {}};
    sockets.conditions = {{.argument = 0, .op = "==", .values = {{"AF_UNIX", {}}}, .origin = {}}};
    profile.seccomp.rules = {rule, sockets};
    return plan_seccomp(profile);
}

IdsPlan ids_of(std::uint32_t count) {
    IdsPlan ids;
    ids.uid_map = {{.inside = 0, .outside = 1000, .count = count}};
    ids.gid_map = ids.uid_map;
    return ids;
}

const IdsPlan many = ids_of(65536);
const IdsPlan one = ids_of(1);

} // namespace

BOOST_AUTO_TEST_SUITE(seccomp_grant)

BOOST_AUTO_TEST_CASE(a_grant_names_the_option_and_the_line_and_what_is_narrowed_needs_a_rule) {
    const SeccompPlan plan = a_plan();
    BOOST_TEST((grant_for_call(plan, many, "ptrace", nullptr) ==
                Grant{.option = "--seccomp-allow ptrace", .profile = "seccomp.allow = [\"ptrace\"]", .advice = ""}));
    BOOST_TEST(grant_for_call(plan, many, "socket", nullptr).profile ==
               "seccomp.rule = [{ syscalls = [\"socket\"], action = \"allow\" }]");
    const Grant chroot = grant_for_call(plan, many, "chroot", nullptr);
    BOOST_TEST(chroot.option == "--seccomp-allow chroot --cap-add SYS_CHROOT");
    BOOST_TEST(chroot.profile == "seccomp.allow = [\"chroot\"]\ncapabilities.keep = { add = [\"SYS_CHROOT\"] }");
}

BOOST_AUTO_TEST_CASE(what_nothing_helps_or_nothing_should_has_advice_and_no_grant) {
    const SeccompPlan plan = a_plan();
    const SeccompEntry entry;
    for (const char* call : {"init_module", "keyctl", "mount", "bpf", "fanotify_init", "number 5000"}) {
        const Grant grant = grant_for_call(plan, many, call, nullptr);
        BOOST_TEST((grant.option.empty() && grant.profile.empty() && !grant.advice.empty()), call);
    }
    BOOST_TEST(grant_for_call(plan, many, "ptrace", &entry).option.empty());
    const Grant foreign = grant_for_call(plan, many, "number 20 of another architecture", nullptr);
    BOOST_TEST(foreign.advice.starts_with("seccomp.architectures "));
}

BOOST_AUTO_TEST_CASE(a_call_for_other_ids_needs_its_capability_and_more_than_one_id) {
    const SeccompPlan plan = a_plan();
    for (const char* call : {"setuid", "setreuid", "setresuid", "setfsuid"}) {
        BOOST_TEST(grant_for_call(plan, many, call, nullptr).option ==
                   std::string("--seccomp-allow ") + call + " --cap-add SETUID");
    }
    for (const char* call : {"setgid", "setregid", "setresgid", "setfsgid", "setgroups"}) {
        BOOST_TEST(grant_for_call(plan, many, call, nullptr).option ==
                   std::string("--seccomp-allow ") + call + " --cap-add SETGID");
    }
    for (const char* call : {"setuid", "setgid", "setgroups"}) {
        const Grant grant = grant_for_call(plan, one, call, nullptr);
        BOOST_TEST((grant.option.empty() && grant.profile.empty()), call);
        BOOST_TEST(grant.advice.find("the map has one id only (ids.map)") != std::string::npos, grant.advice);
    }
}

BOOST_AUTO_TEST_CASE(new_namespaces_are_not_advised_and_threads_are_no_namespaces) {
    const SeccompPlan plan = a_plan();
    for (const char* call : {"unshare", "clone", "clone3"}) {
        const Grant grant = grant_for_call(plan, many, call, nullptr);
        BOOST_TEST((grant.option.empty() && grant.advice.starts_with("not advised: ")), call);
    }
    Profile threadless;
    threadless.seccomp.allow.items = {{"execve", {}}};
    BOOST_TEST(grant_for_call(plan_seccomp(threadless), many, "clone", nullptr).option == "--seccomp-allow clone");
}

BOOST_AUTO_TEST_CASE(a_call_that_no_kernel_has_is_not_to_be_had) {
    const SeccompPlan plan = a_plan();
    for (const char* call : {"uselib", "_sysctl", "nfsservctl", "tuxcall", "afs_syscall", "security", "vserver",
                             "getpmsg", "putpmsg", "get_kernel_syms", "query_module", "create_module"}) {
        BOOST_TEST((grant_for_call(plan, many, call, nullptr) ==
                    Grant{.option = "", .profile = "", .advice = "the kernel has no such call any more"}),
                   call);
    }
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
