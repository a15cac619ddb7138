// Causes and fixes, on machines that are made up.
#include "cmd/common/diagnose.hpp"

#include <sys/resource.h>

#include <algorithm>
#include <cerrno>
#include <set>

#include "cmd/common/checks.hpp"
#include "core/base/step_error.hpp"
#include "core/plan/host_cgroup.hpp"
#include "tests/support/fake_host.hpp"
#include "tests/unit/cmd/cmd_test.hpp"

using namespace sandbox;
using namespace sandbox::test;

namespace {

/// A workstation on which everything works.
struct Workstation {
    Machine machine;
    Host host;
    Plan plan;

    Workstation() {
        machine.executable = "/usr/bin/sandbox";
        machine.kernel_release = "6.1.0-18-amd64";
        std::tie(machine.kernel_major, machine.kernel_minor) = kernel_version(machine.kernel_release);
        machine.sysctls = {{"user.max_user_namespaces", 15000}, {"user.max_net_namespaces", 15000}};
        machine.newuidmap = {"/usr/bin/newuidmap", true, true, false, false};
        machine.newgidmap = {"/usr/bin/newgidmap", true, true, false, false};
        machine.calls = {{"clone", CallState::works}, {"unshare", CallState::works}, {"openat2", CallState::works}};
        host.uid = 1000;
        host.gid = 1000;
        host.groups = {1000, 27};
        host.user_name = "dev";
        host.subuids = {{100000, 65536}};
        host.subgids = {{100000, 65536}};
        host.free_subids = 165536;
        machine.cgroups = workstation_cgroups();
        host.look_at_network = [] {
            NetworkFacts facts;
            facts.slirp4netns = "/usr/bin/slirp4netns";
            facts.nft = "/usr/sbin/nft";
            facts.dnsmasq = "/usr/sbin/dnsmasq";
            return facts;
        };
    }

    /// The check that is not ok; the test fails where it is not the only one.
    [[nodiscard]] Check only_fault() const {
        std::vector<Check> faults = run_checks(machine, host);
        std::erase_if(faults, [](const Check& check) { return check.state == Check::State::ok; });
        BOOST_REQUIRE(faults.size() == 1);
        BOOST_TEST(!faults[0].why.empty());
        BOOST_TEST(!faults[0].fix.empty());
        return faults[0];
    }

    [[nodiscard]] std::string message(Step step, int error_number, const std::string& object = "") const {
        StepError error(step, object, error_number);
        add_causes(error, step, error_number, object, plan, host, machine);
        return error.what();
    }
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(diagnose, Workstation)

BOOST_AUTO_TEST_CASE(a_machine_without_delegated_cgroups_is_warned_of_before) {
    machine.cgroups = {.hierarchy = CgroupFacts::Hierarchy::hybrid};
    BOOST_TEST(only_fault().id == "limits");
    BOOST_TEST((only_fault().state == Check::State::warning));
    machine.cgroups = workstation_cgroups();
    machine.cgroups.manager_controllers = "memory pids";
    BOOST_TEST(contains(only_fault().why, "the cgroup controller cpu is not delegated to you"));
}

BOOST_AUTO_TEST_CASE(a_good_machine_has_no_fault) {
    std::set<std::string_view> ids;
    for (const Check& check : run_checks(machine, host)) {
        BOOST_TEST((check.state == Check::State::ok), check.id);
        BOOST_TEST(ids.insert(check.id).second, check.id);
    }
}

BOOST_AUTO_TEST_CASE(every_suspect_of_a_step_is_a_check_that_is_made) {
    std::set<std::string> ids;
    for (const Check& check : run_checks(machine, host)) {
        ids.insert(std::string(check.id));
    }
    for (int step = 0; step < static_cast<int>(Step::count_); ++step) {
        for (const std::string_view id : suspect_checks(static_cast<Step>(step))) {
            BOOST_TEST(ids.contains(std::string(id)), id << " of step " << words(static_cast<Step>(step)).text);
        }
    }
}

BOOST_AUTO_TEST_CASE(an_old_kernel_is_named) {
    machine.kernel_release = "5.10.0";
    machine.kernel_minor = 10;
    machine.kernel_major = 5;
    BOOST_TEST(only_fault().id == "kernel");
    BOOST_TEST(contains(only_fault().why, "5.10.0 is older than 5.14"));
}

BOOST_AUTO_TEST_CASE(user_namespaces_that_are_switched_off_are_a_cause_with_their_sysctl) {
    machine.sysctls["user.max_user_namespaces"] = 0;
    const std::string text = message(Step::create_user_namespace, ENOSPC);
    BOOST_TEST(contains(text, "cause: user.max_user_namespaces is 0\n"));
    BOOST_TEST(contains(text, "fix: sudo sysctl -w user.max_user_namespaces=15000"));
    machine.sysctls["user.max_user_namespaces"] = 15000;
    machine.sysctls["kernel.unprivileged_userns_clone"] = 0;
    const std::string debian = message(Step::create_user_namespace, EPERM);
    BOOST_TEST(contains(debian, "fix: sudo sysctl -w kernel.unprivileged_userns_clone=1"));
}

BOOST_AUTO_TEST_CASE(namespaces_that_are_used_up_are_told_from_those_switched_off) {
    const std::string text = message(Step::create_user_namespace, ENOSPC);
    BOOST_TEST(contains(text, "as many namespaces exist as user.max_*_namespaces allows (15000)"));
    machine.sysctls["user.max_net_namespaces"] = 0;
    BOOST_TEST(only_fault().id == "namespace-limits");
    BOOST_TEST(contains(message(Step::create_namespaces, ENOSPC), "cause: user.max_net_namespaces is 0\n"));
}

BOOST_AUTO_TEST_CASE(a_limit_of_open_files_above_the_kernels_own_is_told_with_that) {
    machine.sysctls["fs.nr_open"] = 4096;
    plan.limits = {
        {.name = "nofile", .resource = RLIMIT_NOFILE, .is_size = false, .soft = 9, .hard = 5000, .origin = {}}};
    const std::string text = message(Step::set_limit, EPERM, "nofile");
    BOOST_TEST(contains(text, "cannot set the resource limit 'nofile': Operation not permitted"));
    BOOST_TEST(contains(text, "cause: fs.nr_open is 4096"));
    BOOST_TEST(contains(text, "fix: --ulimit nofile=4096"));
    plan.limits.front().hard = 4096;
    BOOST_TEST(!contains(message(Step::set_limit, EPERM, "nofile"), "fs.nr_open"));
}

BOOST_AUTO_TEST_CASE(apparmors_restriction_is_a_cause_wherever_it_strikes) {
    machine.sysctls["kernel.apparmor_restrict_unprivileged_userns"] = 1;
    for (const Step step : {Step::create_user_namespace, Step::write_uid_map, Step::create_namespaces,
                            Step::make_mounts_private, Step::attach_mount, Step::mount_proc, Step::raise_loopback}) {
        const std::string text = message(step, EACCES);
        BOOST_TEST(contains(text, "kernel.apparmor_restrict_unprivileged_userns is 1"), words(step).text);
        BOOST_TEST(contains(text, "profile sandbox /usr/bin/sandbox flags=(unconfined) { userns, }"), words(step).text);
    }
    machine.apparmor_profile = "sandbox (unconfined)";
    BOOST_TEST(!contains(message(Step::mount_proc, EPERM), "apparmor"));
}

BOOST_AUTO_TEST_CASE(an_outer_listener_costs_the_report_and_no_start) {
    machine.listener_error = EBUSY;
    const Check check = only_fault();
    BOOST_TEST(check.id == "report");
    BOOST_TEST((check.state == Check::State::warning));
    BOOST_TEST(contains(check.why, "an outer sandbox listens"));
}

BOOST_AUTO_TEST_CASE(an_outer_filter_is_named_with_the_calls_it_forbids) {
    machine.calls["unshare"] = CallState::refused_by_filter;
    BOOST_TEST(only_fault().id == "outer-filter");
    BOOST_TEST(contains(message(Step::create_namespaces, EPERM), "forbids unshare"));
    machine.calls["unshare"] = CallState::works;
    machine.calls["openat2"] = CallState::missing; // systemd's RestrictSUIDSGID answers ENOSYS
    machine.filtered = true;
    BOOST_TEST(contains(message(Step::make_mount_point, ENOSYS), "forbids openat2"));
    machine.filtered = false;
    BOOST_TEST(only_fault().id == "system-calls");
}

BOOST_AUTO_TEST_CASE(helpers_that_are_missing_or_have_no_power_are_a_cause) {
    machine.newgidmap = {};
    BOOST_TEST(contains(only_fault().why, "newgidmap is not installed"));
    BOOST_TEST(contains(only_fault().fix, "uidmap"));
    machine.newgidmap = {"/usr/bin/newgidmap", false, false, false, false};
    BOOST_TEST(
        contains(message(Step::write_gid_map, EPERM, "/usr/bin/newgidmap"), "fix: sudo chmod u+s /usr/bin/newgidmap"));
    machine.newgidmap = {"/opt/newgidmap", true, true, false, true};
    BOOST_TEST(contains(message(Step::write_gid_map, EPERM), "mounted nosuid"));
    machine.newgidmap = {"/usr/bin/newgidmap", true, false, false, false}; // file capabilities instead of setuid
    BOOST_TEST(std::ranges::all_of(run_checks(machine, host),
                                   [](const Check& check) { return check.state == Check::State::ok; }));
}

BOOST_AUTO_TEST_CASE(a_helper_whose_root_is_not_this_namespaces_root_is_told_from_one_without_its_bit) {
    machine.newuidmap = {"/usr/bin/newuidmap", false, false, true, false};
    BOOST_TEST(contains(only_fault().why, "has no id in the user namespace around us"));
    BOOST_TEST(!contains(only_fault().fix, "chmod"));
}

BOOST_AUTO_TEST_CASE(no_new_privs_of_an_outer_sandbox_is_a_cause) {
    machine.no_new_privs = true;
    BOOST_TEST(only_fault().id == "no-new-privs");
    BOOST_TEST(contains(message(Step::write_uid_map, EPERM), "no_new_privs is set for us"));
}

BOOST_AUTO_TEST_CASE(a_user_without_a_range_gets_the_command_with_a_free_one) {
    host.subuids.clear();
    const std::string text = message(Step::write_uid_map, EPERM);
    BOOST_TEST(contains(text, "cause: user dev has no range in /etc/subuid\n"));
    BOOST_TEST(contains(text, "fix: sudo usermod --add-subuids 165536-231071 --add-subgids 165536-231071 dev"));
}

BOOST_AUTO_TEST_CASE(a_user_without_a_range_and_without_groups_is_only_warned) {
    host.subuids.clear();
    BOOST_TEST((only_fault().state == Check::State::missing));
    host.groups = {1000};
    BOOST_TEST((only_fault().state == Check::State::warning));
}

BOOST_AUTO_TEST_CASE(a_uid_without_a_name_is_a_cause) {
    host.user_name.clear();
    BOOST_TEST(only_fault().id == "user-name");
    BOOST_TEST(contains(message(Step::write_uid_map, EPERM), "uid 1000 has no passwd entry"));
}

BOOST_AUTO_TEST_CASE(a_masked_proc_is_a_cause_of_the_step_that_it_breaks) {
    machine.covered_proc_paths = {"/proc/kcore"};
    const std::string text = message(Step::mount_proc, EPERM, "");
    BOOST_TEST(contains(text, "/proc is partly covered (/proc/kcore)"));
    BOOST_TEST(contains(text, "systempaths=unconfined"));
    BOOST_TEST(!contains(message(Step::create_namespaces, EPERM), "/proc/kcore"));
}

BOOST_AUTO_TEST_CASE(a_chroot_and_a_missing_proc_are_causes) {
    machine.in_chroot = true;
    BOOST_TEST(contains(message(Step::create_user_namespace, EPERM), "this is a chroot"));
    machine.in_chroot = false;
    machine.proc_is_mounted = false;
    BOOST_TEST(contains(message(Step::write_uid_map, ENOENT), "/proc is not mounted"));
}

BOOST_AUTO_TEST_CASE(a_process_limit_is_a_cause_only_when_it_is_reached) {
    machine.process_limit = 100;
    machine.process_count = 99;
    BOOST_TEST(!contains(message(Step::create_user_namespace, EAGAIN), "RLIMIT_NPROC"));
    machine.process_count = 100;
    BOOST_TEST(contains(message(Step::create_user_namespace, EAGAIN), "100 processes and threads, and RLIMIT_NPROC"));
    machine.process_limit.reset();
    machine.pids_cgroup = "/user.slice";
    BOOST_TEST(contains(message(Step::start_command, EAGAIN), "the cgroup /user.slice"));
}

BOOST_AUTO_TEST_CASE(where_nothing_is_found_doctor_is_named_and_no_cause_is_guessed) {
    const std::string text = message(Step::make_mounts_private, EPERM);
    BOOST_TEST(!contains(text, "cause:"));
    BOOST_TEST(contains(text, "fix: sandboxctl doctor"));
}

BOOST_AUTO_TEST_CASE(a_kernels_release_is_read) {
    BOOST_TEST((kernel_version("6.1.0-18-amd64") == std::pair(6, 1)));
    BOOST_TEST((kernel_version("5.14") == std::pair(5, 14)));
    BOOST_TEST((kernel_version("6.10-rc1") == std::pair(6, 10)));
    BOOST_TEST((kernel_version("nonsense") == std::pair(0, 0)));
}

BOOST_AUTO_TEST_CASE(mounts_over_proc_are_seen_and_those_below_an_older_proc_are_not) {
    const std::string_view mountinfo = "21 1 0:19 / / rw - ext4 /dev/sda1 rw\n"
                                       "22 21 0:20 / /proc rw,nosuid - proc proc rw\n"
                                       "23 22 0:21 /null /proc/kcore rw - tmpfs tmpfs rw\n"
                                       "24 22 0:22 / /proc/sys/fs/binfmt_misc rw - binfmt_misc x rw\n";
    const std::vector<std::string> covered = covered_proc_paths(mountinfo);
    BOOST_REQUIRE(covered.size() == 1);
    BOOST_TEST(covered[0] == "/proc/kcore");
    BOOST_TEST(!shows_chroot(mountinfo));
    const std::string again = std::string(mountinfo) + "30 22 0:30 / /proc rw - proc proc rw\n";
    BOOST_TEST(covered_proc_paths(again).empty());
}

BOOST_AUTO_TEST_CASE(a_chroot_is_seen_by_the_root_that_mountinfo_lacks) {
    BOOST_TEST(shows_chroot("22 21 0:20 / /proc rw - proc proc rw\n"));
    BOOST_TEST(!shows_chroot(""));
}

BOOST_AUTO_TEST_CASE(the_real_machine_can_be_read) {
    host.look_at_cgroups = host::look_at_cgroups;
    const Machine real = read_machine(host);
    BOOST_TEST(real.kernel_major >= 5);
    BOOST_TEST(real.calls.contains("clone"));
    BOOST_TEST(real.calls.contains("keyctl")); // the last: all of them had an answer
    BOOST_TEST(real.executable.ends_with("/sandbox"));
}

BOOST_AUTO_TEST_SUITE_END()
