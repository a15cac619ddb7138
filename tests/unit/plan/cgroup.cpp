// The limits of the whole sandbox: what is written into its cgroup, and what is said where there is none.
#include "core/plan/cgroup_plan.hpp"
#include "core/plan/host_cgroup.hpp"
#include "tests/unit/plan/plan_test.hpp"

using namespace sandbox;
using namespace sandbox::test;

namespace {

using Hierarchy = CgroupFacts::Hierarchy;

struct CgroupTest : PlanTest {
    CgroupFacts facts = workstation_cgroups();

    CgroupTest() {
        host.look_at_cgroups = [this](const Host& /*unused*/) { return facts; };
    }

    void option(Setting<std::string> Profile::Limits::*setting, const std::string& name, const std::string& text) {
        (profile.limits.*setting).set(text, by_option("--" + name, text).origin);
    }
    void memory(const std::string& text) { option(&Profile::Limits::memory, "memory", text); }
    void pids(const std::string& text) { option(&Profile::Limits::pids, "pids", text); }
    void cpus(const std::string& text) { option(&Profile::Limits::cpus, "cpus", text); }
    void io(const std::string& text) { add(profile.limits.io, "--io", text); }
    void warn() { profile.limits.when_unavailable.set("warn", in_file("warn").origin); }
    /// Written in the profile.
    void profile_memory() { profile.limits.memory.set("1G", in_file("1G", "my.toml", "limits.memory", 3).origin); }

    [[nodiscard]] Lines lines() const {
        Lines result;
        for (const CgroupLimit& limit : plan().cgroup.limits) {
            result.push_back(limit.file + " " + limit.value);
        }
        return result;
    }
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(cgroup, CgroupTest)

BOOST_AUTO_TEST_CASE(the_cgroup_of_a_process_is_the_unified_one_and_seen) {
    BOOST_TEST(host::cgroup_directory("0::/a/b.scope\n") == "/sys/fs/cgroup/a/b.scope");
    BOOST_TEST(host::cgroup_directory("12:memory:/x\n1:name=systemd:/y\n0::/\n") == "/sys/fs/cgroup");
    for (const char* unseen : {"", "12:memory:/x\n", "0::/../other\n", "10::/x\n"}) {
        BOOST_TEST(host::cgroup_directory(unseen).empty(), unseen);
    }
}

BOOST_AUTO_TEST_CASE(without_a_limit_the_machine_is_not_even_looked_at) {
    host.look_at_cgroups = nullptr;
    BOOST_TEST(!plan().cgroup.wanted());
}

BOOST_AUTO_TEST_CASE(each_limit_is_what_the_kernel_takes) {
    memory("512m");
    pids("64");
    cpus("0.5");
    option(&Profile::Limits::cpu_weight, "cpu-weight", "50");
    CHECK_LINES(lines(),
                {"memory.max 536870912", "memory.swap.max 0", "pids.max 64", "cpu.max 50000 100000", "cpu.weight 50"});
}

BOOST_AUTO_TEST_CASE(unlimited_takes_a_limit_away) {
    memory("unlimited");
    cpus("unlimited");
    pids("64");
    CHECK_LINES(lines(), {"pids.max 64"});
    pids("unlimited");
    BOOST_TEST(!plan().cgroup.wanted());
}

BOOST_AUTO_TEST_CASE(a_disk_has_each_of_its_limits_once) {
    facts.manager_controllers = "cpu io memory pids";
    io("/srv/data:rbps=10m");
    io("/srv/data:wbps=10m");
    CHECK_SAYS(error(), "the disk 8:0 has its limit");
}

BOOST_AUTO_TEST_CASE(limits_that_cmd_could_reach_by_mounting_are_none) {
    add(profile.capabilities.keep, "--cap-add", "sys_admin");
    memory("1G");
    CHECK_LINES(lines(), {"memory.max 1073741824", "memory.swap.max 0"}); // it can mount, and finds nothing
    ro("/sys");
    CHECK_SAYS(error(), "is shown /sys/fs/cgroup, which it could make writable");
    profile.filesystem.read_only = {};
    add(profile.namespaces.share, "--share", "cgroup");
    CHECK_SAYS(error(), "shares the host's cgroup namespace");
    warn();
    profile_memory();
    BOOST_TEST(!plan().cgroup.wanted());
    CHECK_SAYS(notices(), "no limit of memory");
}

BOOST_AUTO_TEST_CASE(swap_is_none_beside_a_memory_limit_unless_it_is_asked_for) {
    memory("512m");
    option(&Profile::Limits::swap, "swap", "1G");
    CHECK_LINES(lines(), {"memory.max 536870912", "memory.swap.max 1073741824"});
    option(&Profile::Limits::swap, "swap", "unlimited");
    CHECK_LINES(lines(), {"memory.max 536870912"});
}

BOOST_AUTO_TEST_CASE(nonsense_is_an_error_with_its_place) {
    for (const char* text : {"-1", "0x", "1e99", "", "12q", "99999999999999999999", "64k"}) {
        profile.limits.memory = {};
        memory(text);
        CHECK_SAYS(error(), std::string("--memory ") + text + ": cannot read the ");
    }
    profile.limits.memory = {};
    for (const char* text : {"0", "1", "-5", "1.5", "0x10", "4194305", "x"}) {
        profile.limits.pids = {};
        pids(text);
        CHECK_SAYS(error(), std::string("--pids ") + text + ": cannot read the number ");
        CHECK_SAYS(error(), "fix: write --pids 256");
    }
    profile.limits.pids = {};
    for (const char* text : {"0", "-1", "nan", "inf", "1e3", "0.001", "2x", ""}) {
        profile.limits.cpus = {};
        cpus(text);
        CHECK_SAYS(error(), std::string("--cpus ") + text + ": cannot read the number of CPUs ");
    }
}

BOOST_AUTO_TEST_CASE(io_names_the_disk_and_nonsense_is_refused) {
    facts.manager_controllers = "cpu io memory pids";
    io("/srv/data:rbps=10m,wiops=100");
    CHECK_LINES(lines(), {"io.max 8:0 rbps=10485760 wiops=100"});
    for (const char* text : {"/srv/data", "/srv/data:", "/srv/data:rbps", "/srv/data:xbps=1m", "/srv/data:rbps=0",
                             "/srv/data:riops=1m", ":rbps=1m", "/srv/data:rbps=1m,", "/srv/data:rbps=1m,rbps=2m"}) {
        profile.limits.io = {};
        io(text);
        CHECK_SAYS(error(), std::string("--io ") + text);
    }
    profile.limits.io = {};
    io("/tmp:rbps=10m");
    CHECK_SAYS(error(), "it is no block device, and lies on none that the kernel tells");
}

BOOST_AUTO_TEST_CASE(each_machine_without_a_place_has_its_own_cause_and_fix) {
    memory("512m");
    struct Case {
        CgroupFacts facts;
        const char* cause;
        const char* fix;
    };
    CgroupFacts read_only = facts;
    read_only.read_only = true;
    CgroupFacts no_manager = facts;
    no_manager.bus.clear();
    no_manager.has_user_manager = false;
    CgroupFacts no_bus = facts;
    no_bus.bus.clear();
    CgroupFacts no_systemd = no_manager;
    no_systemd.systemd_runs = false;
    CgroupFacts inside = no_systemd;
    inside.own = "/sys/fs/cgroup";
    CgroupFacts no_cpu = facts;
    no_cpu.manager_controllers = "cpu pids";
    const Case cases[] = {
        {{}, "no cgroup file system is seen at /sys/fs/cgroup", "start it outside"},
        {{.hierarchy = Hierarchy::legacy}, "this machine has cgroup v1", "systemd.unified_cgroup_hierarchy=1"},
        {{.hierarchy = Hierarchy::hybrid}, "this machine has hybrid cgroups", "systemd.unified_cgroup_hierarchy=1"},
        {read_only, "/sys/fs/cgroup is read-only", "podman run --systemd=always"},
        {no_manager, "dev has no systemd of its own here", "sudo loginctl enable-linger dev"},
        {no_bus, "your systemd has no bus at /run/user/1000/bus", "dbus-user-session"},
        {no_systemd, "systemd does not run this machine", "have root make a cgroup"},
        {inside, "this is a sandbox or a container, and its cgroup is not delegated to you", "limit the outer one"},
        {no_cpu, "the cgroup controller memory is not delegated to you", "Delegate=cpu cpuset io memory"},
    };
    for (const Case& one : cases) {
        facts = one.facts;
        CHECK_SAYS(error(), "--memory 512m: cannot limit memory to 512 MiB");
        CHECK_SAYS(error(), std::string("cause: ") + one.cause);
        CHECK_SAYS(error(), one.fix);
    }
}

BOOST_AUTO_TEST_CASE(a_profile_can_let_its_limits_be_and_options_cannot) {
    facts = {.hierarchy = Hierarchy::legacy};
    profile_memory();
    CHECK_SAYS(error(), "my.toml:3:3: limits.memory: cannot limit memory to 1 GiB");
    warn();
    BOOST_TEST(error().empty());
    BOOST_TEST(plan().cgroup.limits.empty());
    CHECK_SAYS(notices(), "my.toml:3:3: no limit of memory: this machine has cgroup v1, which gives users no limits of "
                          "their own; to get it: boot with systemd.unified_cgroup_hierarchy=1");
    pids("64");
    CHECK_SAYS(error(), "--pids 64: cannot limit pids to 64 processes and threads");
}

BOOST_AUTO_TEST_CASE(only_the_limits_whose_controller_is_missing_are_off) {
    facts.manager_controllers = "memory pids";
    profile_memory();
    profile.limits.cpus.set("2", in_file("2", "my.toml", "limits.cpus", 4).origin);
    warn();
    CHECK_LINES(lines(), {"memory.max 1073741824", "memory.swap.max 0"});
    CHECK_SAYS(notices(), "my.toml:4:3: no limit of cpus: the cgroup controller cpu is not delegated to you");
}

BOOST_AUTO_TEST_CASE(a_delegated_cgroup_is_a_place_without_a_bus) {
    memory("512m");
    facts.bus.clear();
    facts.has_user_manager = false;
    facts.own_is_delegated = true;
    BOOST_TEST(plan().cgroup.places.subtree == facts.own);
    facts.own_controllers = "pids";
    CHECK_SAYS(error(), "the cgroup controller memory is not delegated to you");
}

BOOST_AUTO_TEST_CASE(the_files_of_the_cgroup_are_read_only_where_they_are_shown_and_limits_hold) {
    machine.directory("/sys/fs/cgroup");
    rw("/sys");
    BOOST_TEST(below("/sys/fs/cgroup").empty());
    memory("512m");
    CHECK_LINES(below("/sys/fs/cgroup"), {"read-only /sys/fs/cgroup"});
    rw("/sys/fs/cgroup/user.slice:/mnt");
    machine.directory("/sys/fs/cgroup/user.slice");
    CHECK_SAYS(error(), "cannot show '/sys/fs/cgroup/user.slice' writable");
}

BOOST_AUTO_TEST_SUITE_END()
