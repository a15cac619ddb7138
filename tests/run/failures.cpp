// A machine that cannot: every cause that a message names is made for real, and the message names it.
#include <sched.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <boost/test/unit_test.hpp>
#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "tests/support/count.hpp"
#include "tests/support/refusals.hpp"
#include "tests/support/world.hpp"

namespace fs = std::filesystem;
using namespace sandbox::test;

namespace {

/// What every failure of ours has: the status, "sandbox: cannot", a cause and a fix, and nothing of CMD.
void check_message(const Result& failed, std::string_view cause) {
    BOOST_TEST(failed.status == 125, failed);
    BOOST_TEST(failed.err.starts_with("sandbox: "), failed);
    BOOST_TEST(failed.said("\n  cause: "), failed);
    BOOST_TEST(failed.said("\n  fix: "), failed);
    BOOST_TEST(failed.said(cause), cause << failed);
    BOOST_TEST(!failed.printed("CMD RAN"), failed);
}

constexpr const char* kKeepsGroups = "extends = \"strict\"\n[ids]\nmap = \"self\"\ngroups = \"keep\"\n";

} // namespace

BOOST_FIXTURE_TEST_SUITE(failures, World)

BOOST_AUTO_TEST_CASE(a_user_without_a_subordinate_range_is_told_how_to_get_one) {
    NEEDS(started_by_root(), "needs a user without a subordinate range");
    Options options;
    options.as = &bare_user();
    const Result failed = sandbox({"--profile", "strict", "--", "echo", "CMD RAN"}, options);
    check_message(failed, "/etc/subuid");
    BOOST_TEST(failed.said("usermod --add-subuids"), failed);
    BOOST_TEST(failed.said(bare_user().name), failed);
}

BOOST_AUTO_TEST_CASE(a_reached_limit_of_user_namespaces_is_named) {
    profile("keeps", kKeepsGroups);
    const std::string run_it = "'" + sandbox_program() + "' --profile keeps -- echo CMD RAN";
    const Result failed =
        outside({"unshare", "-Ur", "sh", "-c", "echo 0 > /proc/sys/user/max_user_namespaces; " + run_it});
    check_message(failed, "user.max_user_namespaces");
    const Result control = outside({"unshare", "-Ur", "sh", "-c", run_it});
    BOOST_TEST(control.printed("CMD RAN"), control);
}

BOOST_AUTO_TEST_CASE(a_missing_newuidmap_is_named_with_its_package) {
    NEEDS(started_by_root(), "only root can hide newuidmap");
    Options options = here();
    options.before_user = [] {
        own_mounts();
        cover("/usr/bin/newuidmap");
    };
    check_message(sandbox({"--profile", "strict", "--", "echo", "CMD RAN"}, options), "newuidmap");
    options.before_user = [] {
        own_mounts();
        cover("/usr/bin/newgidmap");
    };
    check_message(sandbox({"--profile", "strict", "--", "echo", "CMD RAN"}, options), "newgidmap");
}

BOOST_AUTO_TEST_CASE(no_new_privs_is_named_where_it_stops_newuidmap) {
    NEEDS(user().subordinate.second > 0, "this user has no subordinate range");
    const Result failed =
        outside({"setpriv", "--no-new-privs", sandbox_program(), "--profile", "strict", "--", "echo", "CMD RAN"});
    check_message(failed, "no_new_privs");
    const Result control =
        outside({"setpriv", "--", sandbox_program(), "--profile", "strict", "--", "echo", "CMD RAN"});
    BOOST_TEST(control.printed("CMD RAN"), control);
}

BOOST_AUTO_TEST_CASE(a_nosuid_file_system_is_named_where_it_stops_newuidmap) {
    NEEDS(started_by_root(), "only root can mount");
    Options options = here();
    options.before_user = [] {
        own_mounts();
        ::mount("/usr/bin", "/usr/bin", nullptr, MS_BIND, nullptr);
        ::mount(nullptr, "/usr/bin", nullptr, MS_REMOUNT | MS_BIND | MS_NOSUID, nullptr);
    };
    check_message(sandbox({"--profile", "strict", "--", "echo", "CMD RAN"}, options), "nosuid");
}

BOOST_AUTO_TEST_CASE(a_partly_masked_proc_of_an_outer_container_is_named) {
    NEEDS(started_by_root(), "only root can mount");
    Options options = here();
    options.before_user = [] {
        own_mounts();
        ::mount("tmpfs", "/proc/sys/kernel", "tmpfs", MS_RDONLY, nullptr);
    };
    const Result failed = sandbox({"--profile", "strict", "--", "echo", "CMD RAN"}, options);
    check_message(failed, "/proc");
    BOOST_TEST(failed.said("cannot mount"), failed);
}

BOOST_AUTO_TEST_CASE(a_sandbox_inside_a_sandbox_says_why_it_cannot) {
    profile("keeps", kKeepsGroups);
    const fs::path mine = home / ".config/sandbox/profiles/keeps.toml";
    const fs::path prefix = fs::path(sandbox_program()).parent_path().parent_path();
    Words words = {"--profile", "strict",        "--seccomp", "none",
                   "--ro",      prefix.string(), "--ro",      mine.string() + ":/srv/keeps.toml"};
    if (std::getenv("ASAN_OPTIONS") != nullptr) {
        words.insert(words.end(), {"--pass-env", "ASAN_OPTIONS"}); // the inner one is built with the sanitizers too
    }
    words.insert(words.end(), {"--", sandbox_program(), "--profile", "/srv/keeps.toml", "--", "echo", "CMD RAN"});
    check_message(sandbox(words), "/proc");
}

BOOST_AUTO_TEST_CASE(an_outer_filter_that_forbids_namespaces_is_named) {
    NEEDS(started_by_root(), "without root a filter needs no_new_privs, which is another failure");
    constexpr std::uint32_t kNamespaces = CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET;
    for (const int error_number : {EPERM, ENOSYS, EACCES}) {
        Options options = here();
        options.before_user = [error_number] {
            refuse({{SYS_clone, error_number, kNamespaces}, {SYS_unshare, error_number}, {SYS_clone3, ENOSYS}});
        };
        check_message(sandbox({"--profile", "strict", "--", "echo", "CMD RAN"}, options), "filter");
    }
    Options options = here();
    options.before_user = [] { refuse({{SYS_unshare, EPERM}}); };
    check_message(sandbox({"--profile", "strict", "--", "echo", "CMD RAN"}, options), "filter");
}

BOOST_AUTO_TEST_CASE(a_new_call_that_the_machine_lacks_is_named) {
    NEEDS(started_by_root(), "without root a filter needs no_new_privs, which is another failure");
    for (const int call : {SYS_openat2, SYS_mount_setattr, SYS_open_tree, SYS_move_mount, SYS_fsopen, SYS_close_range,
                           SYS_clone3, SYS_pidfd_open, SYS_pidfd_send_signal}) {
        Options options = here();
        options.before_user = [call] { refuse({{call, ENOSYS}}); };
        const Result tried = inside("strict", {probe("attempt"), "unshare-user"}, options);
        if (tried.status == 0) {
            // A fallback: with every restriction all the same.
            BOOST_TEST(tried.printed("unshare-user: EPERM"), call << tried);
        } else {
            check_message(tried, "");
            BOOST_TEST(tried.said("Function not implemented"), call << tried);
        }
    }
}

BOOST_AUTO_TEST_CASE(a_start_inside_a_chroot_says_so) {
    NEEDS(started_by_root(), "only root can chroot");
    const fs::path place = directory(home / "chroot");
    for (const char* name : {"usr", "etc", "proc", "tmp", "dev", "home"}) {
        directory(place / name);
    }
    for (const char* name : {"bin", "sbin", "lib", "lib64"}) {
        if (fs::is_symlink(fs::path("/") / name)) {
            fs::create_symlink(fs::read_symlink(fs::path("/") / name), place / name);
        }
    }
    Options options = here();
    options.before_user = [&place] {
        own_mounts();
        for (const char* name : {"usr", "etc", "proc", "tmp", "dev", "home"}) {
            if (::mount((fs::path("/") / name).c_str(), (place / name).c_str(), nullptr, MS_BIND | MS_REC, nullptr) !=
                0) {
                ::_exit(95);
            }
        }
        if (::chroot(place.c_str()) != 0) {
            ::_exit(95);
        }
    };
    check_message(sandbox({"--profile", "strict", "--", "echo", "CMD RAN"}, options), "chroot");
}

BOOST_AUTO_TEST_CASE(a_uid_without_a_passwd_entry_is_told_or_runs) {
    NEEDS(started_by_root(), "only root can take any uid");
    User nobody_known;
    nobody_known.name = "54321";
    nobody_known.uid = 54321;
    nobody_known.gid = 54321;
    nobody_known.groups = {54321, user().groups.back()};
    nobody_known.home = "/nonexistent";
    Options options;
    options.as = &nobody_known;
    options.cwd = "/tmp";
    check_message(sandbox({"--profile", "strict", "--", "echo", "CMD RAN"}, options), "54321");
    // Where there is no group to drop, the id alone will do.
    nobody_known.groups = {54321};
    const Result ran = sandbox({"--profile", "strict", "--", "echo", "CMD RAN"}, options);
    BOOST_TEST(ran.printed("CMD RAN"), ran);
}

BOOST_AUTO_TEST_CASE(a_reached_limit_of_processes_is_named) {
    Options options = here();
    options.before_exec = [] {
        const rlimit one{1, 1};
        ::setrlimit(RLIMIT_NPROC, &one);
    };
    const Result failed = sandbox({"--profile", "strict", "--", "echo", "CMD RAN"}, options);
    check_message(failed, "process");
    BOOST_TEST(failed.said("Resource temporarily unavailable"), failed);
}

BOOST_AUTO_TEST_CASE(a_missing_cmd_is_127) {
    const Result failed = sandbox({"--profile", "strict", "--", "no-such-command"});
    BOOST_TEST(failed.status == 127, failed);
    BOOST_TEST(failed.said("'no-such-command'"), failed);
    BOOST_TEST(sandbox({"--profile", "strict", "--", "/no/such/command"}).status == 127);
}

BOOST_AUTO_TEST_CASE(a_cmd_that_is_only_outside_is_said_to_be_there) {
    write(home / "bin/tool", "#!/bin/sh\necho CMD RAN\n", 0755);
    const Result failed = sandbox({"--profile", "strict", "--", (home / "bin/tool").string()});
    BOOST_TEST(failed.status == 127, failed);
    BOOST_TEST(failed.said("\n  fix: "), failed);
    BOOST_TEST(outside({(home / "bin/tool").string()}).printed("CMD RAN"));
}

BOOST_AUTO_TEST_CASE(a_cmd_that_cannot_be_executed_is_126_with_its_reason) {
    write(project / "not-executable", "#!/bin/sh\necho CMD RAN\n", 0644);
    write(project / "no-interpreter", "#!/no/such/interpreter\n", 0755);
    write(project / "no-format",
          "\x7f"
          "ELFnot\n",
          0755);
    BOOST_TEST(sandbox({"--profile", "strict", "--", "./not-executable"}).status == 126);
    BOOST_TEST(sandbox({"--profile", "strict", "--", "/etc"}).status == 126);
    BOOST_TEST(sandbox({"--profile", "strict", "--", "./no-format"}).status == 126);
    const Result interpreter = sandbox({"--profile", "strict", "--", "./no-interpreter"});
    BOOST_TEST((interpreter.status == 126 || interpreter.status == 127), interpreter);
    BOOST_TEST(interpreter.said("/no/such/interpreter"), interpreter);
}

BOOST_AUTO_TEST_CASE(a_script_without_a_first_line_is_an_error_as_for_execve) {
    write(project / "plain", "echo CMD RAN\n", 0755);
    const Result failed = sandbox({"--profile", "strict", "--", "./plain"});
    BOOST_TEST(failed.status == 126, failed);
    BOOST_TEST(failed.said("Exec format error"), failed);
}

BOOST_AUTO_TEST_CASE(a_working_directory_that_is_not_inside_is_refused) {
    const Result failed =
        sandbox({"--profile", "strict", "--workdir", (home / "elsewhere").string(), "--", "echo", "CMD RAN"});
    BOOST_TEST(failed.status == 125, failed);
    BOOST_TEST(failed.said("elsewhere"), failed);
    BOOST_TEST(!failed.printed("CMD RAN"), failed);
}

BOOST_AUTO_TEST_CASE(names_in_messages_cannot_forge_lines) {
    const std::string evil = "x\nsandbox: all is well\x1b[2J\r";
    for (const Words& words :
         {Words{"--profile", "strict", "--ro", "/" + evil, "true"}, Words{"--profile", evil, "true"},
          Words{"--profile", "strict", "--", evil}, Words{"--" + evil, "true"},
          Words{"--profile", "strict", "--hide", "/" + evil, "true"}}) {
        const Result failed = sandbox(words);
        BOOST_TEST(failed.said("all is well"), failed);
        BOOST_TEST(!failed.said("\nsandbox: all is well"), failed);
        BOOST_TEST(!failed.said("\x1b"), failed);
        BOOST_TEST(!failed.said("\r"), failed);
    }
}

BOOST_AUTO_TEST_CASE(doctor_finds_nothing_wrong_on_a_machine_that_can) {
    const Result text = outside({sandboxctl_program(), "doctor"});
    BOOST_TEST(text.status == 0, text);
    BOOST_TEST(text.printed("\nSandboxes work here.\n"), text);
    const Result json = outside({sandboxctl_program(), "doctor", "--json"});
    BOOST_TEST(json.status == 0, json);
    const auto parsed = nlohmann::json::parse(json.out);
    BOOST_TEST(parsed["works"].get<bool>(), json);
    // The ids are sandboxctl(1)'s promise to programs.
    const Words promised = {"kernel",          "system-calls",   "outer-filter", "proc",
                            "user-namespaces", "apparmor",       "chroot",       "namespace-limits",
                            "newuidmap",       "no-new-privs",   "user-name",    "subordinate-ids",
                            "proc-visible",    "processes",      "limits",       "network",
                            "network-list",    "network-limits", "report",       "overlay",
                            "fuse-overlayfs",  "disk-space",     "skopeo",       "runtime-directory",
                            "lingering",       "start"};
    Words ids;
    for (const auto& check : parsed["checks"]) {
        ids.push_back(check["id"].get<std::string>());
        const auto title = check["title"].get<std::string>();
        const auto state = check["state"].get<std::string>();
        BOOST_TEST(!title.empty(), json);
        BOOST_TEST((state == "ok" || state == "warning"), json);
        // What is not well has its reason and what helps; what is well has neither.
        BOOST_TEST(check["why"].is_null() == (state == "ok"), json);
        BOOST_TEST(check["fix"].is_null() == (state == "ok"), json);
        BOOST_TEST(text.printed(title), title << text);
    }
    BOOST_TEST(ids == promised, boost::test_tools::per_element());
    BOOST_TEST(parsed["checks"].back()["state"] == "ok", json);
}

BOOST_AUTO_TEST_CASE(doctor_finds_ahead_what_a_start_would_fail_on) {
    NEEDS(started_by_root(), "needs a user without a subordinate range");
    const auto state = [](const Result& doctor, const std::string& id) -> std::string {
        const auto parsed = nlohmann::json::parse(doctor.out);
        for (const auto& check : parsed["checks"]) {
            if (check["id"] == id) {
                return check["state"];
            }
        }
        return "no such check";
    };
    const Words doctor = {sandboxctl_program(), "doctor", "--json"};
    BOOST_TEST(state(outside(doctor), "subordinate-ids") == "ok");
    BOOST_TEST(state(outside(doctor), "newuidmap") == "ok");
    Options options;
    options.as = &bare_user();
    const Result range = run(doctor, options);
    BOOST_TEST(state(range, "subordinate-ids") != "ok", range);
    BOOST_TEST(range.printed("usermod --add-subuids"), range);
    Options hidden = here();
    hidden.before_user = [] {
        own_mounts();
        cover("/usr/bin/newuidmap");
        ::mount("tmpfs", "/proc/sys/kernel", "tmpfs", MS_RDONLY, nullptr);
    };
    const Result machine = run(doctor, hidden);
    BOOST_TEST(machine.status == 1, machine);
    BOOST_TEST(state(machine, "newuidmap") == "missing", machine);
    BOOST_TEST(state(machine, "proc-visible") == "missing", machine);
    BOOST_TEST(state(machine, "start") == "missing", machine);
    Options filter = here();
    filter.before_user = [] {
        refuse({{SYS_unshare, EPERM}, {SYS_clone, EPERM, CLONE_NEWUSER}, {SYS_clone3, ENOSYS}});
    };
    const Result filtered = run(doctor, filter);
    BOOST_TEST(filtered.status == 1, filtered);
    BOOST_TEST(state(filtered, "outer-filter") == "missing", filtered);
}

BOOST_AUTO_TEST_SUITE_END()
