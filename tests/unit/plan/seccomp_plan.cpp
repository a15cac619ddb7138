// The words of [seccomp] as decisions.
#include "core/plan/seccomp_plan.hpp"

#include <sys/personality.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <cerrno>
#include <string>
#include <vector>

#include "core/base/error.hpp"
#include "core/plan/syscalls.hpp"
#include "tests/support/seccomp_words.hpp"

using namespace sandbox;
using namespace sandbox::test;

namespace {

const SeccompAction kAllow = {.kind = SeccompActionKind::allow};
const SeccompAction kKill = {.kind = SeccompActionKind::kill};

SeccompAction answers(int error_number) {
    return {.kind = SeccompActionKind::errno_value, .error_number = error_number};
}

std::vector<SeccompEntry> entries_of(const SeccompPlan& plan, const std::string& call) {
    std::vector<SeccompEntry> found;
    std::ranges::copy_if(plan.entries, std::back_inserter(found),
                         [&](const SeccompEntry& entry) { return entry.syscall.name == call; });
    return found;
}

/// The only entry of a call that has one.
SeccompEntry entry_of(const SeccompPlan& plan, const std::string& call) {
    const auto found = entries_of(plan, call);
    BOOST_TEST_REQUIRE(found.size() == 1U, call);
    return found[0];
}

std::string message(const Profile& profile) {
    try {
        static_cast<void>(plan_seccomp(profile));
    } catch (const Error& error) {
        return error.what();
    }
    return "";
}

bool mentions(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

} // namespace

BOOST_AUTO_TEST_SUITE(seccomp_plan)

BOOST_AUTO_TEST_CASE(a_name_becomes_its_number) {
    const SeccompPlan plan = plan_seccomp(filter("deny", {"execve", "openat"}));
    BOOST_TEST(plan.filter);
    BOOST_TEST((plan.default_action == answers(EPERM)));
    BOOST_TEST(entry_of(plan, "openat").syscall.number == SYS_openat);
    BOOST_TEST((entry_of(plan, "openat").action == kAllow));
    BOOST_TEST(entry_of(plan, "openat").origin.place() == "strict.toml:14:9");
}

BOOST_AUTO_TEST_CASE(a_name_of_another_architecture_is_accepted_and_has_no_number) {
    const SeccompPlan plan = plan_seccomp(filter("deny", {"execve", "chown32"}));
    BOOST_TEST(entry_of(plan, "chown32").syscall.number == -1);
}

BOOST_AUTO_TEST_CASE(calls_that_libseccomp_has_no_name_for_have_numbers) {
    const SeccompPlan plan =
        plan_seccomp(filter("deny", {"execve", "mseal", "statmount", "getxattrat", "file_setattr", "listns"}));
    BOOST_TEST(entry_of(plan, "statmount").syscall.number == 457);
    BOOST_TEST(entry_of(plan, "mseal").syscall.number == 462);
    BOOST_TEST(entry_of(plan, "getxattrat").syscall.number == 464);
    BOOST_TEST(entry_of(plan, "file_setattr").syscall.number == 469);
    BOOST_TEST(entry_of(plan, "listns").syscall.number == 470);
}

BOOST_AUTO_TEST_CASE(a_group_becomes_its_members_once_each) {
    const SeccompPlan plan = plan_seccomp(filter("deny", {"execve", "@basic-io", "@file-system", "close"}));
    BOOST_TEST((entry_of(plan, "close").action == kAllow));
    BOOST_TEST((entry_of(plan, "unlinkat").action == kAllow));
}

BOOST_AUTO_TEST_CASE(a_group_inside_a_group_is_resolved) {
    const SeccompPlan plan = plan_seccomp(filter("deny", {"@system-service"}));
    BOOST_TEST((entry_of(plan, "execve").action == kAllow));
    BOOST_TEST((entry_of(plan, "timer_create").action == kAllow));
    BOOST_TEST(entries_of(plan, "mount").empty());
}

BOOST_AUTO_TEST_CASE(known_is_every_call) {
    const SeccompPlan plan = plan_seccomp(filter("deny", {"@known"}, {}, {rule({"clone3"}, "ENOSYS")}));
    BOOST_TEST(plan.entries.size() == syscalls::all().size());
}

BOOST_AUTO_TEST_CASE(deny_beats_allow) {
    const SeccompPlan plan = plan_seccomp(filter("deny", {"execve", "@file-system"}, {"unlink"}));
    BOOST_TEST((entry_of(plan, "unlink").action == answers(EPERM)));
}

BOOST_AUTO_TEST_CASE(a_rule_that_restricts_holds_on_top_of_an_allowance) {
    const SeccompPlan plan = plan_seccomp(
        filter("deny", {"execve", "socket"}, {}, {rule({"socket"}, "EAFNOSUPPORT", {when(0, "==", {"AF_VSOCK"})})}));
    const auto entries = entries_of(plan, "socket");
    BOOST_TEST_REQUIRE(entries.size() == 2U);
    BOOST_TEST((entries[0].action == answers(EAFNOSUPPORT)));
    const std::vector<SeccompTest> wanted = {{.argument = 0, .mask = 0xffffffff, .value = AF_VSOCK}};
    BOOST_TEST((entries[0].tests == wanted));
    BOOST_TEST((entries[1].action == kAllow));
    BOOST_TEST(entries[1].tests.empty());
}

BOOST_AUTO_TEST_CASE(restrictions_stand_in_the_order_of_their_strength_then_as_written) {
    const SeccompPlan plan = plan_seccomp(
        filter("deny", {"execve", "socket"}, {},
               {rule({"socket"}, "log", {when(0, "==", {"1"})}), rule({"socket"}, "EACCES", {when(0, "==", {"2"})}),
                rule({"socket"}, "EBUSY", {when(0, "==", {"3"})}), rule({"socket"}, "kill", {when(0, "==", {"4"})})}));
    const auto entries = entries_of(plan, "socket");
    BOOST_TEST_REQUIRE(entries.size() == 5U);
    BOOST_TEST((entries[0].action == kKill));
    BOOST_TEST((entries[1].action == answers(EACCES)));
    BOOST_TEST((entries[2].action == answers(EBUSY)));
    BOOST_TEST((entries[3].action.kind == SeccompActionKind::log));
    BOOST_TEST((entries[4].action == kAllow));
}

BOOST_AUTO_TEST_CASE(an_entry_that_can_never_be_reached_is_left_out) {
    const SeccompPlan plan =
        plan_seccomp(filter("deny", {"execve", "bpf"}, {"bpf"}, {rule({"bpf"}, "kill"), rule({"bpf"}, "ENOSYS")}));
    BOOST_TEST((entry_of(plan, "bpf").action == kKill));
}

BOOST_AUTO_TEST_CASE(a_rules_errno_is_more_particular_than_the_deny_list) {
    const SeccompPlan plan = plan_seccomp(filter("deny", {"execve"}, {"bpf"}, {rule({"bpf"}, "ENOSYS")}));
    BOOST_TEST((entry_of(plan, "bpf").action == answers(ENOSYS)));
}

BOOST_AUTO_TEST_CASE(a_conditional_allowance_narrows_a_call_that_a_list_names) {
    const SeccompPlan plan = plan_seccomp(filter("deny", {"@system-service"}, {"clone3"},
                                                 {rule({"personality"}, "allow", {when(0, "==", {"PER_LINUX"})})}));
    BOOST_TEST(entry_of(plan, "personality").tests.size() == 1U);
}

BOOST_AUTO_TEST_CASE(a_rule_without_conditions_allows_every_call_again) {
    const SeccompPlan plan = plan_seccomp(
        filter("deny", {"execve"}, {},
               {rule({"personality"}, "allow", {when(0, "==", {"PER_LINUX"})}), rule({"personality"}, "allow")}));
    BOOST_TEST(entry_of(plan, "personality").tests.empty());
}

BOOST_AUTO_TEST_CASE(in_is_one_alternative_a_value) {
    const SeccompPlan plan = plan_seccomp(filter(
        "deny", {"execve"}, {}, {rule({"socket"}, "allow", {when(0, "in", {"AF_UNIX", "AF_INET", "AF_LOCAL"})})}));
    BOOST_TEST(entries_of(plan, "socket").size() == 2U); // AF_LOCAL is AF_UNIX
}

BOOST_AUTO_TEST_CASE(any_bit_is_one_alternative_a_bit_and_no_bit_is_one_test) {
    const SeccompPlan plan =
        plan_seccomp(filter("allow", {}, {},
                            {rule({"unshare"}, "deny", {when(0, "&", {"CLONE_NEWUSER", "CLONE_NEWNET"})}),
                             rule({"setns"}, "deny", {when(1, "!&", {"CLONE_NEWUSER", "CLONE_NEWNET"})})}));
    const auto unshare = entries_of(plan, "unshare");
    BOOST_TEST_REQUIRE(unshare.size() == 2U);
    const std::vector<SeccompTest> user = {{.argument = 0, .mask = 0x10000000, .value = 0x10000000}};
    BOOST_TEST((unshare[0].tests == user));
    const std::vector<SeccompTest> none = {{.argument = 1, .mask = 0x50000000, .value = 0}};
    BOOST_TEST((entry_of(plan, "setns").tests == none));
}

BOOST_AUTO_TEST_CASE(conditions_on_one_argument_are_joined_into_one_test) {
    const SeccompCondition executable = when(2, "&", {"PROT_EXEC"});
    const SeccompCondition not_writable = when(2, "!&", {"PROT_WRITE"});
    const std::vector<SeccompTest> wanted = {{.argument = 2, .mask = 6, .value = 4}};
    for (const auto& conditions : {std::vector{executable, not_writable}, std::vector{not_writable, executable}}) {
        const SeccompPlan plan = plan_seccomp(filter("deny", {"execve"}, {}, {rule({"mmap"}, "allow", conditions)}));
        BOOST_TEST((entry_of(plan, "mmap").tests == wanted));
    }
}

BOOST_AUTO_TEST_CASE(conditions_that_contradict_each_other_are_an_error) {
    const std::string text = message(
        filter("deny", {"execve"}, {}, {rule({"mmap"}, "allow", {when(2, "==", {"1"}), when(2, "==", {"2"})})}));
    BOOST_TEST(text.starts_with("strict.toml:20:9: the conditions of this rule can never hold together"), text);
}

BOOST_AUTO_TEST_CASE(a_number_is_decimal_hexadecimal_octal_or_negative) {
    const auto value = [](const char* text) {
        return entry_of(
                   plan_seccomp(filter("deny", {"execve"}, {}, {rule({"socket"}, "allow", {when(0, "==", {text})})})),
                   "socket")
            .tests[0]
            .value;
    };
    BOOST_TEST(value("10") == 10U);
    BOOST_TEST(value("0x5412") == 0x5412U);
    BOOST_TEST(value("0o17") == 15U);
    BOOST_TEST(value("017") == 15U);
    BOOST_TEST(value("4294967295") == 0xffffffffU);
    BOOST_TEST(value("-1") == 0xffffffffU);
}

BOOST_AUTO_TEST_CASE(a_number_of_more_than_32_bits_is_an_error) {
    for (const char* text : {"0x100000000", "-2147483649", "12x", "0x"}) {
        const std::string said =
            message(filter("deny", {"execve"}, {}, {rule({"socket"}, "allow", {when(0, "==", {text})})}));
        BOOST_TEST(said.starts_with("strict.toml:14:9: '" + std::string(text) + "' is no number of 32 bits"), said);
    }
}

BOOST_AUTO_TEST_CASE(unknown_words_are_errors_with_their_place_and_the_nearest_name) {
    const struct {
        Profile profile;
        const char* summary;
        const char* near;
    } mistakes[] = {
        {filter("deny", {"opne"}), "strict.toml:14:9: unknown system call 'opne'", "open"},
        {filter("deny", {"@file-sistem"}), "strict.toml:14:9: unknown group of system calls '@file-sistem'",
         "@file-system"},
        {filter("deny", {"execve"}, {"ptrase"}), "strict.toml:14:9: unknown system call 'ptrase'", "ptrace"},
        {filter("dney", {"execve"}), "strict.toml:12:9: unknown default action 'dney'", "deny"},
        {filter("deny", {"execve"}, {}, {rule({"bfp"}, "kill")}), "strict.toml:14:9: unknown system call 'bfp'", "bpf"},
        {filter("deny", {"execve"}, {}, {rule({"bpf"}, "kil")}), "strict.toml:14:9: unknown action 'kil'", "kill"},
        {filter("deny", {"execve"}, {}, {rule({"bpf"}, "ENOSIS")}), "strict.toml:14:9: unknown action 'ENOSIS'",
         "ENOSYS"},
        {filter("deny", {"execve"}, {}, {rule({"socket"}, "deny", {when(0, "==", {"AF_VSOK"})})}),
         "strict.toml:14:9: unknown value 'AF_VSOK'", "AF_VSOCK"},
    };
    for (const auto& mistake : mistakes) {
        const std::string text = message(mistake.profile);
        BOOST_TEST(text.starts_with(mistake.summary), text);
        BOOST_TEST(mentions(text, "fix: did you mean '" + std::string(mistake.near) + "'?"), text);
    }
}

BOOST_AUTO_TEST_CASE(a_default_action_is_no_errno) {
    BOOST_TEST(mentions(message(filter("ENOSYS", {"execve"})), "unknown default action 'ENOSYS'"));
}

BOOST_AUTO_TEST_CASE(a_condition_of_the_wrong_form_is_an_error_with_its_place) {
    for (const SeccompCondition& condition : {when(6, "==", {"1"}), when(0, "==", {"1", "2"}), when(0, "in", {}),
                                              when(0, "<", {"1"}), when(0, "&", {"0"}), when(0, "!&", {"0"})}) {
        const std::string text = message(filter("deny", {"execve"}, {}, {rule({"socket"}, "allow", {condition})}));
        BOOST_TEST(text.starts_with("strict.toml:14:9: "), text);
    }
}

BOOST_AUTO_TEST_CASE(conditions_with_too_many_combinations_are_an_error) {
    const SeccompCondition bits = when(0, "&", {"-1"});
    SeccompCondition more = bits;
    more.argument = 1;
    SeccompCondition third = bits;
    third.argument = 2;
    const std::string text = message(filter("deny", {"execve"}, {}, {rule({"socket"}, "allow", {bits, more, third})}));
    BOOST_TEST(mentions(text, "more than 1024 combinations"), text);
}

BOOST_AUTO_TEST_CASE(a_name_of_somebody_elses_making_cannot_forge_a_line) {
    const std::string text = message(filter("deny", {"open\n  fix: run this"}));
    BOOST_TEST(mentions(text, "'open\\n  fix: run this'"), text);
}

BOOST_AUTO_TEST_CASE(a_profile_under_which_nothing_could_start_is_an_error) {
    BOOST_TEST(mentions(message(filter("deny", {"read"})), "does not allow execve"));
    BOOST_TEST(mentions(message(Profile{}), "does not allow execve"));
    BOOST_TEST(mentions(message(filter("kill", {"read"})), "does not allow execve"));
    const std::string denied = message(filter("allow", {}, {"execve"}));
    BOOST_TEST(denied.starts_with("strict.toml:14:9: the filter refuses execve"), denied);
    BOOST_TEST(mentions(message(filter("deny", {"execve"}, {}, {rule({"execve"}, "kill")})), "refuses execve"));
    BOOST_TEST(message(filter("log", {})).empty());
    BOOST_TEST(message(filter("allow", {})).empty());
}

BOOST_AUTO_TEST_CASE(allow_without_any_entry_is_no_filter) {
    BOOST_TEST(!plan_seccomp(filter("allow", {})).filter);
    BOOST_TEST(!plan_seccomp(filter("allow", {"openat"})).filter);
    BOOST_TEST(plan_seccomp(filter("allow", {}, {"bpf"})).filter);
    BOOST_TEST(plan_seccomp(filter("log", {})).filter);
}

BOOST_AUTO_TEST_CASE(a_filter_on_the_flags_of_clone_with_clone3_allowed_is_an_error) {
    const SeccompRule threads = rule({"clone"}, "allow", {when(0, "!&", {"CLONE_NEWUSER"})});
    const std::string text = message(filter("deny", {"execve", "clone3"}, {}, {threads}));
    BOOST_TEST(text.starts_with("strict.toml:20:9: clone is filtered by its arguments, but clone3 is allowed"), text);
    const SeccompRule namespaces = rule({"clone"}, "deny", {when(0, "&", {"CLONE_NEWUSER"})});
    BOOST_TEST(mentions(message(filter("allow", {}, {}, {namespaces})), "clone3 is allowed"));
    BOOST_TEST(message(filter("allow", {}, {}, {namespaces, rule({"clone3"}, "ENOSYS")})).empty());
    BOOST_TEST(message(filter("deny", {"execve", "clone", "clone3"})).empty());
}

BOOST_AUTO_TEST_CASE(a_refused_clone3_answers_enosys_so_that_libc_falls_back_to_clone) {
    const SeccompAction fall_back = answers(ENOSYS);
    BOOST_TEST((entry_of(plan_seccomp(filter("deny", {"execve", "clone"})), "clone3").action == fall_back));
    BOOST_TEST((entry_of(plan_seccomp(filter("deny", {"@system-service"}, {"clone3"})), "clone3").action == fall_back));
    // Who says what it shall answer gets that.
    const SeccompPlan killed = plan_seccomp(filter("deny", {"execve", "clone"}, {}, {rule({"clone3"}, "kill")}));
    BOOST_TEST((entry_of(killed, "clone3").action == kKill));
    BOOST_TEST(entries_of(plan_seccomp(filter("deny", {"execve"})), "clone3").empty());
}

BOOST_AUTO_TEST_CASE(an_unknown_architecture_is_an_error_and_one_of_another_machine_is_not) {
    Profile profile = filter("deny", {"execve"});
    profile.seccomp.architectures.items = words({"natvie"});
    const std::string text = message(profile);
    BOOST_TEST(text.starts_with("strict.toml:14:9: unknown architecture 'natvie'"), text);
    BOOST_TEST(mentions(text, "did you mean 'native'?"), text);

    profile.seccomp.architectures.items = words({"arm", "native", "x86", "native"});
    const auto architectures = plan_seccomp(profile).architectures;
#if defined(__x86_64__)
    const std::vector<std::string> wanted = {"x86_64", "x86"};
#else
    const std::vector<std::string> wanted = {"aarch64", "arm"};
#endif
    BOOST_TEST(architectures == wanted, boost::test_tools::per_element());
}

#if defined(__x86_64__)
BOOST_AUTO_TEST_CASE(a_filter_on_a_socket_call_with_socketcall_allowed_is_an_error_where_x86_runs) {
    const SeccompRule vsock = rule({"socket"}, "deny", {when(0, "==", {"AF_VSOCK"})});
    Profile profile = filter("deny", {"execve", "@network-io"}, {}, {vsock});
    BOOST_TEST(message(profile).empty());
    profile.seccomp.architectures.items = words({"native", "x86"});
    BOOST_TEST(mentions(message(profile), "socket is filtered by its arguments, but socketcall is allowed"));
    profile.seccomp.rules.push_back(rule({"socketcall"}, "ENOSYS"));
    BOOST_TEST(message(profile).empty());
}
#endif

BOOST_AUTO_TEST_SUITE_END()
