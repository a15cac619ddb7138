// What privilege CMD holds: none, in all five sets, for good.
#include <boost/test/unit_test.hpp>

#include "tests/support/count.hpp"
#include "tests/support/world.hpp"

using namespace sandbox::test;

namespace {

constexpr const char* kNone = "0000000000000000";
constexpr const char* kSets[] = {"CapInh:\t", "CapPrm:\t", "CapEff:\t", "CapBnd:\t", "CapAmb:\t"};

} // namespace

BOOST_FIXTURE_TEST_SUITE(capabilities, World)

BOOST_AUTO_TEST_CASE(all_five_sets_are_empty) {
    for (const char* profile : {"default", "strict", "build", "permissive"}) {
        const Result shown = inside(profile, {probe("privileges")});
        for (const char* set : kSets) {
            BOOST_TEST(shown.printed(std::string(set) + kNone), profile << set << shown);
        }
    }
    const Result control = outside({probe("privileges")});
    BOOST_TEST(!control.printed(std::string("CapBnd:\t") + kNone), control);
}

BOOST_AUTO_TEST_CASE(root_inside_has_no_capability_either) {
    const Result shown =
        sandbox({"--profile", "strict", "--root", "--ro", probe_directory(), "--", probe("privileges")});
    for (const char* set : kSets) {
        BOOST_TEST(shown.printed(std::string(set) + kNone), set << shown);
    }
}

BOOST_AUTO_TEST_CASE(no_new_privs_is_set_in_every_profile) {
    for (const char* profile : {"default", "strict", "build", "permissive"}) {
        const Result shown = inside(profile, {probe("privileges")});
        BOOST_TEST(shown.printed("NoNewPrivs:\t1"), profile << shown);
    }
    BOOST_TEST(outside({probe("privileges")}).printed("NoNewPrivs:\t0"));
}

BOOST_AUTO_TEST_CASE(securebits_are_set_and_locked) {
    // NOROOT, NO_SETUID_FIXUP, NO_CAP_AMBIENT_RAISE with their locks, KEEP_CAPS locked off: capabilities(7).
    for (const char* profile : {"strict", "permissive"}) {
        const Result shown = inside(profile, {probe("privileges")});
        BOOST_TEST(shown.printed("securebits 0xef"), profile << shown);
    }
    const Result attack = inside("permissive", {probe("attempt"), "keepcaps"});
    BOOST_TEST(attack.printed("keepcaps: EPERM"), attack);
    BOOST_TEST(outside({probe("attempt"), "keepcaps"}).printed("keepcaps: ok"));
}

BOOST_AUTO_TEST_CASE(a_kept_capability_is_there_and_no_other) {
    // CAP_NET_RAW is number 13.
    for (const char* name : {"net_raw", "NET_RAW", "CAP_NET_RAW"}) {
        const Result shown =
            sandbox({"--profile", "strict", "--cap-add", name, "--ro", probe_directory(), "--", probe("privileges")});
        BOOST_TEST(shown.printed("CapEff:\t0000000000002000"), shown);
        BOOST_TEST(shown.printed("CapBnd:\t0000000000002000"), shown);
    }
}

BOOST_AUTO_TEST_CASE(a_dropped_capability_is_gone) {
    profile("keeps", "extends = \"strict\"\n[capabilities]\nkeep = [\"CAP_NET_RAW\", \"CAP_KILL\"]\n");
    const Result shown =
        sandbox({"--profile", "keeps", "--cap-drop", "net_raw", "--ro", probe_directory(), "--", probe("privileges")});
    BOOST_TEST(shown.printed("CapEff:\t0000000000000020"), shown);
}

BOOST_AUTO_TEST_CASE(a_kept_capability_holds_only_inside) {
    const Result attack = sandbox({"--profile", "permissive", "--cap-add", "all", "--ro", probe_directory(), "--",
                                   probe("attempt"), "bpf", "open_by_handle_at", "swapon", "syslog", "mknod"});
    for (const char* name : {"bpf", "open_by_handle_at", "swapon", "syslog", "mknod"}) {
        BOOST_TEST(attack.printed(std::string(name) + ": EPERM"), name << attack);
    }
    NEEDS(started_by_root(), "the control needs root");
    Options options;
    options.as = &root_user();
    const Result control = run({probe("attempt"), "swapon", "open_by_handle_at", "syslog"}, options);
    BOOST_TEST(control.printed("swapon: ENOENT"), control);
    BOOST_TEST(control.printed("open_by_handle_at: ESTALE"), control);
    BOOST_TEST(control.printed("syslog: ok"), control);
}

BOOST_AUTO_TEST_CASE(the_program_itself_has_no_privilege) {
    const Result mode = outside({"stat", "-c", "%a", sandbox_program()});
    BOOST_TEST(mode.out == "755\n", mode);
    if (installed("getcap")) {
        BOOST_TEST(outside({"getcap", sandbox_program()}).out.empty());
    }
}

BOOST_AUTO_TEST_CASE(what_serves_a_sandbox_from_outside_cannot_be_traced_from_inside) {
    const Words ptrace = {"--quiet", "--profile", "permissive", "--net", "none", "--cap-add", "sys_ptrace"};
    Words shared = ptrace;
    shared.insert(shared.end(), {"--share", "pid", "--", "echo", "ran"});
    const Result refused = sandbox(shared);
    BOOST_TEST(refused.status == 125, refused);
    BOOST_TEST(refused.out.empty(), refused);
    BOOST_TEST(refused.said("cannot keep CAP_SYS_PTRACE in the host's pid namespace"), refused);
    // The control: each of the two alone is no error.
    Words own = ptrace;
    own.insert(own.end(), {"--", "echo", "ran"});
    BOOST_TEST(sandbox(own).out == "ran\n");
    BOOST_TEST(
        sandbox({"--quiet", "--profile", "permissive", "--net", "none", "--share", "pid", "--", "echo", "ran"}).out ==
        "ran\n");
}

BOOST_AUTO_TEST_SUITE_END()
