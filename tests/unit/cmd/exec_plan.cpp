// What sandboxctl exec takes from the record of a run, and what its options may add.
#include "cmd/common/exec_plan.hpp"

#include <linux/capability.h>
#include <sys/resource.h>

#include "tests/unit/cmd/cmd_test.hpp"

using namespace sandbox;
using namespace sandbox::test;

namespace {

struct Recorded {
    RunRecord record;
    ExecWish wish;
    ExecCaller caller{.uid = 1000, .gid = 1000};

    Recorded() {
        record.name = "web";
        RecordedRestrictions& held = record.restrictions;
        held.uid = 1000;
        held.gid = 1000;
        held.groups = {1000, 44};
        held.capabilities = {CAP_NET_RAW};
        held.environment = {{"PATH", "/usr/bin:relative:/bin"}, {"PWD", "/work"}, {"A", "1"}};
        held.workdir = "/work";
        held.uid_map = {{0, 100000, 1000}, {1000, 1000, 1}};
        held.gid_map = {{0, 100000, 1000}, {1000, 1000, 1}};
        wish.arguments = {"ls", "-l"};
        for (rlimit& limit : caller.limits) {
            limit = {.rlim_cur = RLIM_INFINITY, .rlim_max = RLIM_INFINITY};
        }
    }

    [[nodiscard]] ExecPlan plan() const { return plan_exec(record, wish, caller); }
    [[nodiscard]] std::string refusal() const {
        return error_of([&] { static_cast<void>(plan()); }).what();
    }
};

std::string value_of(const ExecPlan& plan, const std::string& name) {
    for (const EnvironmentEntry& entry : plan.environment) {
        if (entry.name == name) {
            return entry.value;
        }
    }
    return "not set";
}

} // namespace

BOOST_FIXTURE_TEST_SUITE(exec_plan, Recorded)

BOOST_AUTO_TEST_CASE(without_options_all_is_as_the_record_says) {
    const ExecPlan made = plan();
    BOOST_TEST(made.identity.uid == 1000U);
    BOOST_TEST(made.identity.group_count == 2U);
    BOOST_TEST(made.identity.groups[1] == 44U);
    BOOST_TEST(made.drops_groups);
    BOOST_TEST(made.capabilities.keep == std::vector<int>{CAP_NET_RAW});
    BOOST_TEST(made.process.workdir == "/work");
    BOOST_TEST(made.process.candidates == (std::vector<std::string>{"/usr/bin/ls", "/bin/ls"}));
    BOOST_TEST(made.limits.empty());
    BOOST_TEST(!made.process.terminal);
}

BOOST_AUTO_TEST_CASE(another_user_has_no_group_and_root_alone_keeps_what_cmd_has) {
    for (const char* root : {"root", "0", "0:0"}) {
        wish.user = root;
        BOOST_TEST(plan().identity.uid == 0U, root);
        BOOST_TEST(plan().identity.gid == 0U, root);
        BOOST_TEST(plan().identity.group_count == 0U, root);
        BOOST_TEST(plan().capabilities.keep == std::vector<int>{CAP_NET_RAW}, root);
    }
    wish.user = "33"; // the control: of another number the group is the caller's
    BOOST_TEST(plan().identity.gid == 1000U);
    wish.user = "33:44";
    BOOST_TEST(plan().identity.uid == 33U);
    BOOST_TEST(plan().identity.gid == 44U);
    BOOST_TEST(plan().capabilities.keep.empty());
    // The same uid with another group is another user.
    wish.user = "1000:44";
    BOOST_TEST(plan().identity.group_count == 0U);
    wish.user = "self";
    BOOST_TEST(plan().identity.group_count == 2U);
}

BOOST_AUTO_TEST_CASE(who_is_not_mapped_or_no_number_is_refused) {
    for (const char* word : {"1001", "5000", "4294967295", "33:5000"}) {
        wish.user = word;
        BOOST_TEST(refusal().find("is not mapped in this sandbox") != std::string::npos, word);
    }
    for (const char* word : {"", "dev", "33x", " 33", "0x21", "33:", ":33", "-1", "4294967296"}) {
        wish.user = word;
        BOOST_TEST(refusal().find("it is neither self, root, UID nor UID:GID") != std::string::npos, word);
    }
    record.restrictions.uid_map = {{1000, 1000, 1}};
    wish.user = "root";
    BOOST_TEST(refusal().find("uid 0 is not mapped") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_variable_is_added_or_replaced_and_path_is_searched_as_it_is_then) {
    wish.environment = {"A=2=3", "B="};
    BOOST_TEST(value_of(plan(), "A") == "2=3");
    BOOST_TEST(value_of(plan(), "B").empty());
    BOOST_TEST(value_of(plan(), "PWD") == "/work");
    wish.workdir = "/tmp";
    BOOST_TEST(value_of(plan(), "PWD") == "/tmp");
    wish.environment = {"PATH=/opt"};
    BOOST_TEST(plan().process.candidates == std::vector<std::string>{"/opt/ls"});
    wish.environment = {"PATH=bin"};
    BOOST_TEST(refusal().find("PATH names no absolute directory") != std::string::npos);
    for (const char* word : {"A", "=1", ""}) {
        wish.environment = {word};
        BOOST_TEST(refusal().find("it is not NAME=VALUE") != std::string::npos, word);
    }
}

BOOST_AUTO_TEST_CASE(of_two_limits_the_lower_one_holds) {
    record.restrictions.limits = {{.resource = RLIMIT_NOFILE, .soft = 100, .hard = 200},
                                  {.resource = RLIMIT_CORE, .soft = RLIM_INFINITY, .hard = RLIM_INFINITY}};
    BOOST_REQUIRE(plan().limits.size() == 1U);
    BOOST_TEST(plan().limits.front().name == "nofile");
    BOOST_TEST(plan().limits.front().soft == 100U);
    BOOST_TEST(plan().limits.front().hard == 200U);
    caller.limits[RLIMIT_NOFILE] = {.rlim_cur = 10, .rlim_max = 50};
    BOOST_TEST(plan().limits.front().soft == 50U);
    BOOST_TEST(plan().limits.front().hard == 50U);
    caller.limits[RLIMIT_CORE] = {.rlim_cur = 0, .rlim_max = 0};
    BOOST_TEST(plan().limits.size() == 1U);
}

BOOST_AUTO_TEST_CASE(a_terminal_is_given_as_sandbox_gives_one) {
    caller.is_terminal = {true, true, true};
    BOOST_TEST(plan().process.terminal);
    wish.no_tty = true;
    BOOST_TEST(!plan().process.terminal);
    BOOST_TEST(!plan().process.output_terminal);
    wish.no_tty = false;
    caller.is_terminal = {false, true, true};
    BOOST_TEST(!plan().process.terminal);
    BOOST_TEST(plan().process.output_terminal);
    wish.tty = true;
    BOOST_TEST(plan().process.terminal);
}

BOOST_AUTO_TEST_CASE(a_working_directory_is_absolute) {
    wish.workdir = "here";
    BOOST_TEST(refusal().find("--workdir: cannot start in 'here'") != std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()
