// Replays of the vulnerabilities of tools of this kind that have a meaning for ours. Each has its control.
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <boost/test/unit_test.hpp>
#include <csignal>
#include <filesystem>
#include <thread>

#include "core/base/fd.hpp"
#include "tests/support/count.hpp"
#include "tests/support/world.hpp"

namespace fs = std::filesystem;
using namespace sandbox::test;
using sandbox::Fd;

BOOST_FIXTURE_TEST_SUITE(cves, World)

BOOST_AUTO_TEST_CASE(cve_2024_21626_a_working_directory_through_an_inherited_descriptor) {
    write(home / "secret", "SECRET\n");
    const Fd host_root(::open("/", O_RDONLY | O_DIRECTORY));
    Options options = here();
    options.descriptors = {host_root.get()};
    for (int number = 3; number < 20; ++number) {
        const std::string workdir = "/proc/self/fd/" + std::to_string(number);
        const Result attack =
            sandbox({"--profile", "strict", "--workdir", workdir, "--", "sh", "-c",
                     "pwd; cat ." + (home / "secret").string() + " ../../.." + (home / "secret").string()},
                    options);
        BOOST_TEST(!attack.printed("SECRET"), number << attack);
    }
    const Result control = run(
        {"sh", "-c", "cd /proc/self/fd/" + std::to_string(host_root.get()) + " && cat ." + (home / "secret").string()},
        options);
    BOOST_TEST(control.printed("SECRET"), control);
}

BOOST_AUTO_TEST_CASE(cve_2024_21626_an_unreachable_working_directory) {
    // Removed before the start: getcwd(2) has no name for it.
    const Result removed = sh("mkdir gone && cd gone && rmdir ../gone && '" + sandbox_program() +
                              "' --profile strict -- sh -c 'cat ../../notes; ls ..; pwd'");
    BOOST_TEST(!removed.printed("unreachable"), removed);
    BOOST_TEST(!removed.printed("project"), removed);
    // Outside what is granted: ".." must not lead to the host.
    write(home / "elsewhere/deep/secret", "SECRET\n");
    profile("nothing", "extends = \"strict\"\n[filesystem]\nread-only = []\n");
    Options options = here();
    options.cwd = home / "elsewhere/deep";
    const Result attack = sandbox(
        {"--profile", "nothing", "--", "sh", "-c", "cat secret ../deep/secret /proc/self/cwd/secret; ls -A .. ; pwd"},
        options);
    BOOST_TEST(!attack.printed("SECRET"), attack);
    BOOST_TEST(!attack.printed("deep\n"), attack);
    BOOST_TEST(run({"sh", "-c", "cat /proc/self/cwd/secret"}, options).printed("SECRET"));
}

BOOST_AUTO_TEST_CASE(cve_2019_5736_our_program_cannot_be_overwritten_through_proc) {
    // A copy that the user owns, so that only the way to it is closed and not its mode.
    const fs::path own = directory(home / "bin") / "sandbox";
    fs::copy_file(sandbox_program(), own);
    write(own, read_file(sandbox_program()), 0755);
    fs::create_directories(home / "share/sandbox");
    fs::copy(fs::path(sandbox_program()).parent_path().parent_path() / "share/sandbox", home / "share/sandbox",
             fs::copy_options::recursive);
    const std::string before = read_file(own);
    const std::string script = "for round in $(seq 20); do for f in /proc/*/exe /proc/*/task/*/exe; do " +
                               probe("open") + " w $f; " + probe("open") +
                               " trunc $f; done; done 2>/dev/null; echo x > /proc/1/exe; true";
    for (const Words& how : {Words{}, Words{"--root"}, Words{"--share", "pid"}}) {
        Words words = {own.string(), "--profile", "permissive", "--tmpfs", home.string(), "--ro", probe_directory()};
        words.insert(words.end(), how.begin(), how.end());
        words.insert(words.end(), {"--", "sh", "-c", script});
        const Result attack = run(words, here());
        BOOST_TEST(attack.printed("/proc/1/exe: EACCES"), attack);
        BOOST_TEST((read_file(own) == before));
    }
    // The control: what the attacker owns and may see can be opened that way.
    Process sleeping({"/bin/sh", "-c", "echo up; exec sleep 1000"}, here());
    BOOST_REQUIRE(sleeping.wait_for("up"));
    write(home / "mine", read_file("/bin/true"), 0755);
    BOOST_TEST(outside({probe("open"), "r", "/proc/" + std::to_string(sleeping.pid()) + "/exe"}).printed(": ok"));
}

BOOST_AUTO_TEST_CASE(cve_2019_12499_our_program_is_unchanged_however_a_run_ends) {
    const fs::path own = directory(home / "bin") / "sandbox";
    write(own, read_file(sandbox_program()), 0755);
    fs::create_directories(home / "share/sandbox");
    fs::copy(fs::path(sandbox_program()).parent_path().parent_path() / "share/sandbox", home / "share/sandbox",
             fs::copy_options::recursive);
    const std::string before = read_file(own);
    for (const int number : {SIGKILL, SIGTERM}) {
        Process running({own.string(), "--profile", "permissive", "--tmpfs", home.string(), "--ro", probe_directory(),
                         "--", "sh", "-c",
                         "echo up; while :; do " + probe("open") + " trunc /proc/1/exe /proc/$PPID/exe; done"},
                        here());
        BOOST_REQUIRE(running.wait_for("EACCES"));
        running.signal(number);
        static_cast<void>(running.finish());
        BOOST_TEST((read_file(own) == before));
    }
}

BOOST_AUTO_TEST_CASE(cve_2025_31133_and_2025_52565_devices_that_are_links_of_the_attackers) {
    write(home / "victim", "UNTOUCHED\n");
    directory(home / "dev");
    for (const char* device : {"null", "zero", "console", "tty", "ptmx", "pts", "full", "shm"}) {
        fs::create_symlink(home / "victim", home / "dev" / device);
    }
    for (const Words& how :
         {Words{"--rw", (home / "dev").string() + ":/dev"}, Words{"--ro", (home / "dev").string() + ":/dev"}}) {
        for (const char* tty : {"--no-tty", "--tty"}) {
            Words words = {"--profile", "strict", "--rw", home.string(), tty};
            words.insert(words.end(), how.begin(), how.end());
            words.insert(words.end(),
                         {"--", "sh", "-c",
                          "echo planted > /dev/null; echo planted > /proc/sys/kernel/core_pattern; "
                          "head -c1 /proc/kcore; head -c1 /proc/keys; echo planted > /proc/sysrq-trigger; true"});
            const Result attack = sandbox(words);
            // Either it is refused, or the masks and the read-only places hold all the same.
            BOOST_TEST(!attack.hung, attack);
            if (attack.status == 0) {
                BOOST_TEST(attack.out.empty(), attack);
                BOOST_TEST(attack.said("core_pattern"), attack);
            } else {
                BOOST_TEST(attack.err.starts_with("sandbox: "), attack);
            }
        }
    }
    BOOST_TEST(read_file("/proc/sys/kernel/core_pattern").find("planted") == std::string::npos);
}

BOOST_AUTO_TEST_CASE(cve_2026_41579_a_root_whose_dev_is_a_link) {
    directory(home / "victim");
    directory(home / "root/usr");
    fs::create_symlink(home / "victim", home / "root/dev");
    fs::create_symlink("../../../../../../.." + (home / "victim").string(), home / "root/proc");
    const std::string before = tree(home / "victim");
    const Result attack = sandbox({"--profile", "strict", "--rw", (home / "root").string() + ":/", "--", "true"});
    BOOST_TEST(!attack.hung, attack);
    BOOST_TEST(tree(home / "victim") == before, attack);
}

BOOST_AUTO_TEST_CASE(cve_2025_52881_a_procfs_that_is_not_one) {
    // What we write or read in /proc must be the kernel's, whatever was granted there.
    write(home / "proc/self/setgroups", "");
    write(home / "proc/self/uid_map", "");
    write(home / "proc/sys/kernel/core_pattern", "");
    const Result attack = sandbox({"--profile", "strict", "--rw", (home / "proc").string() + ":/proc", "--", "sh", "-c",
                                   "stat -f -c %T /proc; cat /proc/self/uid_map; echo x > /proc/sysrq-trigger"});
    if (attack.status == 125) {
        BOOST_TEST(attack.err.starts_with("sandbox: "), attack);
    } else {
        BOOST_TEST(attack.out.starts_with("proc\n"), attack);
        BOOST_TEST(attack.said("sysrq-trigger"), attack);
    }
    BOOST_TEST(read_file(home / "proc/self/uid_map").empty());
    BOOST_TEST(read_file(home / "proc/self/setgroups").empty());
    BOOST_TEST(strict_sh("stat -f -c %T /proc").out == "proc\n");
}

BOOST_AUTO_TEST_CASE(masked_and_read_only_places_of_proc_hold) {
    for (const Words& how : {Words{}, Words{"--seccomp", "none"}, Words{"--seccomp", "none", "--root"},
                             Words{"--cap-add", "all"}, Words{"--cap-add", "all", "--root"}}) {
        Words words = {"--profile", "strict"};
        words.insert(words.end(), how.begin(), how.end());
        words.insert(words.end(),
                     {"--ro", probe_directory(), "--", "sh", "-c",
                      probe("open") +
                          " w /proc/sysrq-trigger /proc/sys/kernel/core_pattern "
                          "/proc/sys/kernel/hostname /proc/sys/vm/drop_caches /proc/irq/default_smp_affinity; "
                          "head -c 1 /proc/kcore; cat /proc/keys /proc/timer_list /proc/interrupts | head -3; "
                          "ls -A /proc/acpi /proc/scsi; mount -o remount,rw /proc/sys; umount /proc/keys; "
                          "umount -l /proc/sys; head -1 /proc/keys; " +
                          probe("open") + " w /proc/sys/kernel/core_pattern"});
        const Result attack = sandbox(words);
        BOOST_TEST(!attack.printed(": ok"), attack);
        BOOST_TEST(!attack.printed("keyring"), attack);
        BOOST_TEST(!attack.printed("CPU0"), attack);
    }
    const Result control = sh("cat /proc/keys /proc/interrupts");
    BOOST_TEST((control.printed("CPU0") || control.printed("keyring")), control);
}

BOOST_AUTO_TEST_CASE(cve_2021_41133_calls_newer_than_a_list_do_not_slip_through) {
    // From 424 on all architectures share their numbers: each answers a refusal, never a success of the dangerous kind.
    const Result family = inside("strict", {probe("attempt"), "clone3", "open_tree", "fsopen", "mount_setattr"});
    BOOST_TEST(!family.printed("ok"), family);
    for (long number = SYS_statx + 1 < 470 ? 470 : SYS_statx; number < 520; ++number) {
        const Result tried =
            inside("strict", {probe("syscall"), std::to_string(number), "-1", "0", "0", "0", "0", "0"});
        BOOST_TEST((tried.printed(": ENOSYS") || tried.printed(": EPERM")), number << tried);
    }
    BOOST_TEST(inside("strict", {probe("threads"), "8"}).out == "8000\n");
}

BOOST_AUTO_TEST_CASE(cve_2026_87766_a_planted_link_does_not_aim_a_mount_point_at_the_host) {
    directory(home / "victim/below");
    write(home / "source/file", "content\n");
    const fs::path victim = home / "victim";
    const std::string up = "../../../../../../../../../..";
    const std::vector<std::pair<std::string, std::string>> links = {
        {"absolute", victim.string()},
        {"relative", up + victim.string()},
        {"chained", "absolute"},
        {"chained-twice", "chained"},
        {"magic-root", "/proc/self/root" + victim.string()},
        {"magic-cwd", "/proc/self/cwd/../victim"},
        {"magic-parent", "/proc/1/root" + victim.string()},
        {"old-root", "/oldroot" + victim.string()},
        {"dot", "./" + up + victim.string()},
        {"dangling", (victim / "made-by-the-link").string()},
    };
    for (const auto& [name, target] : links) {
        fs::create_symlink(target, project / name);
    }
    const std::string before = tree(victim);
    for (const auto& [name, target] : links) {
        const std::string below = (project / name / "pwned").string();
        const std::string deep = (project / name / "below/pwned").string();
        const std::string source = (home / "source").string();
        for (const Words& how : {Words{"--ro", source + ":" + below}, Words{"--rw", source + ":" + below},
                                 Words{"--ro", source + "/file:" + below}, Words{"--tmpfs", below},
                                 Words{"--tmpfs", deep}, Words{"--ro", source + ":" + (project / name).string()},
                                 Words{"--workdir", below}, Words{"--hide", deep}}) {
            Words words = {"--profile", "strict", "--rw", project.string()};
            words.insert(words.end(), how.begin(), how.end());
            words.insert(words.end(), {"--", "true"});
            const Result attack = sandbox(words);
            BOOST_TEST(!attack.hung, name << attack);
            BOOST_TEST(tree(victim) == before, name << " " << how[0] << " " << how[1] << attack);
        }
    }
    // The control: without a sandbox the link leads to the victim.
    BOOST_TEST(sh("mkdir absolute/pwned").status == 0);
    BOOST_TEST(fs::exists(victim / "pwned"));
}

BOOST_AUTO_TEST_CASE(cve_2026_87766_nor_while_it_is_swapped_in_a_loop) {
    directory(home / "victim");
    directory(home / "source");
    directory(project / "real");
    const std::string before = tree(home / "victim");
    // Directory, link, directory, link: rename(2) swaps in one step.
    Process swapping({"sh", "-c",
                      "ln -s '" + (home / "victim").string() +
                          "' evil; mkdir sub; echo up; "
                          "while :; do mv -T --no-copy sub good 2>/dev/null || mv -T sub good; mv -T evil sub; mv -T "
                          "sub evil; mv -T good sub; done"},
                     here());
    BOOST_REQUIRE(swapping.wait_for("up"));
    for (int i = 0; i < 60; ++i) {
        const Result attack = sandbox({"--profile", "strict", "--rw", project.string(), i % 2 == 0 ? "--ro" : "--tmpfs",
                                       i % 2 == 0 ? (home / "source").string() + ":" + (project / "sub/made").string()
                                                  : (project / "sub/made").string(),
                                       "--", "true"});
        BOOST_TEST(!attack.hung, attack);
        BOOST_TEST((attack.status == 0 || attack.status == 125), attack);
    }
    swapping.signal(SIGKILL);
    static_cast<void>(swapping.finish());
    BOOST_TEST(tree(home / "victim") == before);
}

BOOST_AUTO_TEST_CASE(cve_2019_12439_predictable_places_are_not_trusted) {
    // Every place of ours taken beforehand: a link to a victim, a file, a directory open to all.
    directory(home / "victim");
    const std::string before = tree(home / "victim");
    const fs::path state = home / ".local/share/sandbox";
    directory(state.parent_path());
    fs::create_directory_symlink(home / "victim", state);
    Result attack = inside("strict", {probe("attempt"), "unshare-user"});
    BOOST_TEST((attack.status == 125 || attack.printed("unshare-user: EPERM")), attack);
    BOOST_TEST(tree(home / "victim") == before, attack);
    fs::remove(state);
    write(state, "a file");
    attack = inside("strict", {probe("attempt"), "unshare-user"});
    BOOST_TEST((attack.status == 125 || attack.printed("unshare-user: EPERM")), attack);
    BOOST_TEST(read_file(state) == "a file");
    fs::remove(state);
    directory(state, 0777);
    attack = inside("strict", {probe("attempt"), "unshare-user"});
    BOOST_TEST((attack.status == 125 || attack.printed("unshare-user: EPERM")), attack);
    if (!runtime.empty()) {
        fs::create_directory_symlink(home / "victim", runtime / "sandbox");
        attack = inside("strict", {probe("attempt"), "unshare-user"});
        BOOST_TEST((attack.status == 125 || attack.printed("unshare-user: EPERM")), attack);
        BOOST_TEST(tree(home / "victim") == before, attack);
        fs::remove(runtime / "sandbox");
    }
}

BOOST_AUTO_TEST_CASE(cve_2016_10119_what_we_make_is_the_users_alone) {
    Options options = here();
    options.before_exec = [] { ::umask(0); };
    BOOST_TEST(sandbox({"--profile", "permissive", "--rw", home.string(), "true"}, options).status == 0);
    BOOST_TEST(sandbox({"--profile", "strict", "true"}, options).status == 0);
    const Result open_to_others = sh("find ~/.local/share/sandbox ~/.config/sandbox -perm /077");
    BOOST_TEST(open_to_others.out.empty(), open_to_others);
    BOOST_TEST(open_to_others.status == 0, open_to_others);
    // And the umask is CMD's as it was the caller's.
    BOOST_TEST(sandbox({"--profile", "strict", "--", "sh", "-c", "umask"}, options).out == "0000\n");
}

BOOST_AUTO_TEST_CASE(cve_2017_5206_a_tracer_cannot_rewrite_a_call_past_the_filter) {
#if defined(__x86_64__)
    const Result attack = inside("default", {probe("ptrace_rewrite")});
    const Result control = inside("permissive", {probe("ptrace_rewrite")});
    BOOST_TEST(attack.printed("rewrite: EPERM"), attack);
    BOOST_TEST(control.printed("rewrite: ok"), control);
#else
    SKIP("the probe knows the registers of x86_64 only");
#endif
}

BOOST_AUTO_TEST_CASE(cve_2016_8659_pid_1_cannot_be_traced_or_read) {
    for (const Words& how : {Words{"permissive"}, Words{"permissive", "--root"}}) {
        Words words = {"--profile"};
        words.insert(words.end(), how.begin(), how.end());
        words.insert(words.end(),
                     {"--ro", probe_directory(), "--", "sh", "-c",
                      probe("attempt") + " ptrace-init ptrace; " + probe("open") +
                          " r /proc/1/mem /proc/1/maps /proc/1/environ /proc/1/ns/mnt /proc/1/root /proc/1/cwd"});
        const Result attack = sandbox(words);
        BOOST_TEST(attack.printed("ptrace-init: EPERM"), attack);
        BOOST_TEST(attack.printed("ptrace: ok"), attack);
        BOOST_TEST(!attack.printed("/proc/1/mem: ok"), attack);
        BOOST_TEST(!attack.printed("/proc/1/root: ok"), attack);
        BOOST_TEST(!attack.printed("/proc/1/cwd: ok"), attack);
    }
}

BOOST_AUTO_TEST_CASE(a_chroot_inside_is_no_way_out) {
    const Result strict = inside("strict", {probe("chroot_escape")});
    BOOST_TEST(strict.printed("escape: EPERM"), strict);
    // With the capability it leaves its own chroot, and ends in the sandbox's root, not in the host's.
    const Result attack =
        sandbox({"--profile", "strict", "--seccomp", "none", "--cap-add", "sys_chroot", "--ro", probe_directory(), "--",
                 "sh", "-c", probe("chroot_escape") + "; stat -c 'root %d:%i' /"});
    const Result host = outside({"stat", "-c", "reached %d:%i", "/"});
    BOOST_TEST(attack.printed("reached "), attack);
    BOOST_TEST(!attack.printed(host.out), attack);
    // The control: out of a plain chroot it does reach the host's root.
    const Result control =
        outside({"unshare", "-Ur", "sh", "-c",
                 "mkdir -p jail/tmp && cp " + probe("chroot_escape") + " jail/ && chroot jail /chroot_escape"});
    BOOST_TEST(control.printed(host.out), control << host);
}

BOOST_AUTO_TEST_CASE(the_mount_table_tells_nothing_of_the_hosts_tree) {
    const Result table = sandbox({"--profile", "strict", "--", "cat", "/proc/self/mountinfo"});
    BOOST_TEST(!table.printed("/oldroot"), table);
    BOOST_TEST(!table.printed(" /run/user"), table);
    // No mount of the host is left under the root: each is one that the plan names.
    BOOST_TEST(!table.printed("cgroup"), table);
    BOOST_TEST(!table.printed("master:"), table);
    BOOST_TEST(!table.printed("shared:"), table);
}

BOOST_AUTO_TEST_SUITE_END()
