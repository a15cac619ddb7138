// sandboxctl exec: a command in a sandbox that runs has CMD's restrictions, and the way in is no way out.
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <boost/test/unit_test.hpp>
#include <csignal>
#include <filesystem>
#include <sstream>
#include <thread>

#include "core/base/fd.hpp"
#include "tests/support/count.hpp"
#include "tests/support/terminal.hpp"
#include "tests/support/world.hpp"

namespace fs = std::filesystem;
using namespace sandbox::test;
using sandbox::Fd;

namespace {

/// A world in which sandboxes run and are entered.
struct Runs : World {
    Options options = logged_in();

    /// `sandbox --name web ... -- sh -c SCRIPT`, which has printed "up"; its input stays open.
    [[nodiscard]] Process start(const Words& how, const std::string& script) const {
        Words words = {sandbox_program(), "--quiet", "--name", "web", "--ro", probe_directory()};
        words.insert(words.end(), how.begin(), how.end());
        words.insert(words.end(), {"--", "sh", "-c", script});
        Options open = options;
        open.keep_input_open = true;
        Process process(words, open);
        BOOST_TEST(process.wait_for("up\n"), process.so_far().err);
        return process;
    }
    [[nodiscard]] Process idle(const Words& how = {"--profile", "strict"}) const { return start(how, "echo up; cat"); }

    [[nodiscard]] static Words words_of(const Words& rest) {
        Words words = {sandboxctl_program(), "exec"};
        words.insert(words.end(), rest.begin(), rest.end());
        return words;
    }
    [[nodiscard]] Result exec(const Words& rest) const { return run(words_of(rest), options); }
    [[nodiscard]] Result exec_sh(const std::string& script) const { return exec({"web", "sh", "-c", script}); }
};

/// What a process is and may, as far as it can tell itself.
const std::string kSelf = probe("privileges") +
                          "; cat /proc/self/limits /proc/self/cgroup; grep -E '^(Groups|Uid|Gid)' /proc/self/status; "
                          "readlink /proc/self/ns/*; env | grep -v '^_=' | sort; umask; pwd; hostname; " +
                          probe("keyring") + " search sandbox-test-key";

/// The part behind the line "up".
std::string behind_up(const std::string& out) {
    const std::size_t at = out.find("up\n");
    return at == std::string::npos ? out : out.substr(at + 3);
}

void expect_refused(const Result& refused, std::string_view cause, int status = 125) {
    BOOST_TEST(refused.status == status, refused);
    BOOST_TEST(refused.err.starts_with("sandboxctl: "), refused);
    BOOST_TEST(refused.said(cause), cause << refused);
    BOOST_TEST(refused.out.empty(), refused);
}

} // namespace

BOOST_FIXTURE_TEST_SUITE(exec, Runs)

BOOST_AUTO_TEST_CASE(a_command_runs_in_the_sandbox_and_its_status_is_handed_on) {
    const Process running = start({"--profile", "strict"}, "echo up; exec sleep 31415");
    const Result seen = exec_sh("hostname; grep -l 31415 /proc/*/cmdline; cat; exit 7");
    BOOST_TEST(seen.status == 7, seen);
    BOOST_TEST(seen.out.starts_with("web\n/proc/2/cmdline\n"), seen);
    BOOST_TEST(exec_sh("kill -KILL $$").status == 128 + SIGKILL);
    BOOST_TEST(exec({"web", "sh", "-c", "echo \"$@\"", "sh", "-t", "--user", "0", "--"}).out == "-t --user 0 --\n");
    Options with_input = options;
    with_input.input = "typed";
    BOOST_TEST(run(words_of({"web", "cat"}), with_input).out == "typed");
    // Who executes what is not there, or cannot be executed, is told so.
    expect_refused(exec({"web", "no-such-program"}), "no directory of PATH inside has it", 127);
    expect_refused(exec({"web", "/etc"}), "cannot execute '/etc': Permission denied", 126);
    expect_refused(exec({"wep", "true"}), "did you mean 'web'?");
    expect_refused(exec({"web"}), "a command is missing");
    expect_refused(exec({"--workdir", "/no/such", "web", "true"}), "cannot enter the working directory '/no/such'");
    const Result said = exec(
        {"--env", "A=b c", "--env", "HOME=/x", "--workdir", "/usr", "web", "sh", "-c", "echo $A $HOME $PWD; /bin/pwd"});
    BOOST_TEST(said.out == "b c /x /usr\n/usr\n", said);
}

BOOST_AUTO_TEST_CASE(a_newcomer_has_all_of_cmds_restrictions_and_no_more_rights) {
    profile("single", "extends = \"strict\"\n[ids]\nmap = \"self\"\ngroups = \"keep\"\n");
    const std::vector<Words> kHow = {{"--profile", "strict"},
                                     {"--profile", "default", "--net", "none"},
                                     {"--profile", "permissive"},
                                     {"--profile", "single"},
                                     {"--profile", "strict", "--root", "--cap-add", "net_raw,setuid,setgid"},
                                     {"--profile", "strict", "--user", "12:34", "--workdir", "/usr"},
                                     {"--profile", "strict", "--ulimit", "nofile=77:99", "--ulimit", "core=0"},
                                     {"--profile", "strict", "--share", "pid,ipc,uts,net,cgroup"}};
    const std::string calls =
        probe("attempt") + " mount umount unshare-user setns ptrace clone3 open-tree fsopen setuid-root setgroups";
    for (const Words& how : kHow) {
        Process running = start(how, "echo up; (" + kSelf + "; " + calls + ") 2>&1; echo end; cat");
        BOOST_TEST(running.wait_for("end\n"), running.so_far().err);
        const std::string commands = behind_up(running.so_far().out);
        const Result entered = exec_sh("(" + kSelf + "; " + calls + ") 2>&1; echo end");
        BOOST_TEST(entered.out == commands, how.back() << entered);
        BOOST_TEST(commands.find("Seccomp") != std::string::npos, commands);
        running.close_input();
        BOOST_TEST(running.finish().status == 0);
    }
}

BOOST_AUTO_TEST_CASE(a_newcomer_holds_the_standard_descriptors_and_no_others) {
    const Process running = idle({"--profile", "permissive"});
    std::vector<Fd> many;
    Options leaking = options;
    for (int i = 0; i < 20; ++i) {
        many.emplace_back(::open("/", O_RDONLY | O_DIRECTORY));
        leaking.descriptors.push_back(many.back().get());
    }
    const Result entered = run(words_of({"web", probe("descriptors")}), leaking);
    BOOST_TEST(std::count(entered.out.begin(), entered.out.end(), '\n') == 3, entered);
    const Result control = run({probe("descriptors")}, leaking);
    BOOST_TEST(std::count(control.out.begin(), control.out.end(), '\n') == 23, control);
    // A directory as a standard stream would be a way out.
    Options directory = options;
    directory.before_exec = [] { ::dup2(::open("/", O_RDONLY | O_DIRECTORY), STDIN_FILENO); };
    expect_refused(run(words_of({"web", "true"}), directory), "cannot give CMD a directory");
}

BOOST_AUTO_TEST_CASE(the_callers_keyring_stays_outside) {
    const Process running = idle({"--profile", "permissive"});
    const Words plant = {probe("keyring"), "plant", "sandbox-test-key", "--"};
    const auto planted = [&](const Words& rest) {
        Words words = plant;
        words.insert(words.end(), rest.begin(), rest.end());
        return run(words, options);
    };
    const Result entered = planted(words_of({"web", probe("keyring"), "search", "sandbox-test-key"}));
    BOOST_TEST(entered.printed("search: E"), entered);
    BOOST_TEST(planted({probe("keyring"), "search", "sandbox-test-key"}).printed("search: ok"));
}

BOOST_AUTO_TEST_CASE(a_lower_limit_of_the_callers_stays) {
    const Process running = idle({"--profile", "strict", "--ulimit", "nofile=300:400"});
    Options low = options;
    low.before_exec = [] {
        const rlimit both{.rlim_cur = 100, .rlim_max = 200};
        ::setrlimit(RLIMIT_NOFILE, &both);
    };
    BOOST_TEST(run(words_of({"web", "sh", "-c", "ulimit -Sn; ulimit -Hn"}), low).out == "200\n200\n");
    BOOST_TEST(exec_sh("ulimit -Sn; ulimit -Hn").out == "300\n400\n");
}

BOOST_AUTO_TEST_CASE(another_user_has_no_capability_and_no_group_that_cmd_has_not) {
    NEEDS(user().subordinate.second > 0, "it takes a subordinate range");
    const std::string look = "id -u; id -g; id -G; grep -E '^Cap(Prm|Eff|Bnd|Amb)' /proc/self/status";
    const std::string none = "CapPrm:\t0000000000000000\nCapEff:\t0000000000000000\nCapBnd:\t0000000000000000\n"
                             "CapAmb:\t0000000000000000\n";
    {
        const Process running = idle({"--profile", "strict"});
        BOOST_TEST(exec({"-w", "/", "--user", "root", "web", "sh", "-c", look}).out == "0\n0\n0\n" + none);
        BOOST_TEST(exec({"-w/", "--user", "12:34", "web", "sh", "-c", look}).out == "12\n34\n34\n" + none);
        BOOST_TEST(exec({"-u12", "--workdir=/", "web", "id", "-u"}).out == "12\n");
        BOOST_TEST(exec({"--user=self", "web", "id", "-u"}).out == std::to_string(user().uid) + "\n");
    }
    const Process running = idle({"--profile", "strict", "--root", "--cap-add", "net_raw"});
    BOOST_TEST(exec({"--user", "self", "web", "sh", "-c", look}).out.find("CapEff:\t0000000000002000") !=
               std::string::npos);
    BOOST_TEST(exec({"-w/", "--user", "12:34", "web", "sh", "-c", look}).out == "12\n34\n34\n" + none);
}

BOOST_AUTO_TEST_CASE(cve_2026_30892_a_number_is_read_to_its_end) {
    const Process running = idle({"--profile", "strict", "--root"});
    for (const char* word :
         {"12abc", "0x0", " 0", "0 ", "1:", ":1", "-1", "+1", "4294967296", "1:2:3", "1:2x", "dev", "", "4294967295"}) {
        const Result refused = exec({std::string("--user=") + word, "web", "id"});
        BOOST_TEST(refused.status == 125, word << refused);
        BOOST_TEST(refused.out.empty(), word << refused);
    }
    BOOST_TEST(exec({"--user=0", "web", "id", "-u"}).out == "0\n");
    BOOST_TEST(exec({"--user=0", "web", "id", "-g"}).out == "0\n");
}

BOOST_AUTO_TEST_CASE(cve_2016_9962_nobody_inside_gets_hold_of_a_newcomer) {
    // CMD may do what its rights allow: it has no filter, and in the second round every capability of its namespaces.
    for (const Words& how : {Words{}, Words{"--root", "--cap-add", "all"}, Words{"--share", "pid"}}) {
        Words words = {"--profile", "permissive"};
        words.insert(words.end(), how.begin(), how.end());
        Process running = start(words, probe("stalk") + " sandbox-exec sandboxctl");
        for (int i = 0; i < rounds(300); ++i) {
            const Result entered = exec({"web", "/bin/true"});
            BOOST_TEST(entered.status == 0, entered);
        }
        running.close_input();
        const Result attack = running.finish();
        BOOST_TEST(attack.out.find(": got") == std::string::npos, attack);
        BOOST_TEST(attack.printed("met: "), attack);
        BOOST_TEST(!attack.printed("met: 0\n"), attack);
    }
    // The control: what is dumpable, and executes a program, is got hold of.
    Process running = start({"--profile", "permissive"}, probe("stalk") + " sleep sleep");
    const Process newcomer(words_of({"web", "/bin/sleep", "1000"}), options);
    for (const char* what : {"mem: got", "exe: got", "root: got", "fd: got", "environ: got", "maps: got"}) {
        BOOST_TEST(running.wait_for(what), what << running.so_far());
    }
}

BOOST_AUTO_TEST_CASE(cve_2019_5736_our_program_cannot_be_overwritten_by_what_it_is_made_to_execute) {
    // A copy that the user owns, so that its mode keeps nobody away.
    const fs::path own = directory(home / "bin") / "sandboxctl";
    write(own, read_file(sandboxctl_program()), 0755);
    const std::string before = read_file(own);
    write(project / "tool", "#!/proc/self/exe\n", 0755);
    for (const Words& how : {Words{}, Words{"--root", "--cap-add", "all"}}) {
        Words words = {"--profile", "permissive", "--rw", project.string()};
        words.insert(words.end(), how.begin(), how.end());
        Process running = start(words, "exec " + probe("overwrite") + " tool sandboxctl");
        for (int i = 0; i < 500 && !running.so_far().printed("write: "); ++i) {
            const Result made = run({own.string(), "exec", "web", (project / "tool").string()}, options);
            BOOST_TEST(!made.hung, made);
            if (made.signaled || made.status == 128 + SIGKILL) {
                BOOST_TEST(running.wait_for("write: "), running.so_far());
            }
        }
        // What it was made to execute is a copy in memory, and sealed.
        BOOST_TEST(running.so_far().printed("write: EPERM\n"), running.so_far());
        BOOST_TEST(!running.so_far().printed("write: ok"), running.so_far());
        BOOST_TEST((read_file(own) == before));
    }
    // Root's own is no copy, for it cannot be written anyway.
    {
        Process running = start({"--profile", "permissive", "--rw", project.string()},
                                "exec " + probe("overwrite") + " tool sandboxctl");
        for (int i = 0; started_by_root() && i < 500 && !running.so_far().printed("write: "); ++i) {
            if (exec({"web", (project / "tool").string()}).status == 128 + SIGKILL) {
                BOOST_TEST(running.wait_for("write: "), running.so_far());
                BOOST_TEST(running.so_far().printed("write: EACCES\n"), running.so_far());
            }
        }
    }
    // The control: any other program of the user's is overwritten in that way.
    write(home / "bin/mine", read_file("/bin/sleep"), 0755);
    Process running = start({"--profile", "permissive", "--rw", (home / "bin").string()},
                            "exec " + probe("overwrite") + " mine mine");
    const Result ended = exec({"web", (home / "bin/mine").string(), "1000"});
    BOOST_TEST(ended.status == 128 + SIGKILL, ended);
    BOOST_TEST(running.wait_for("write: ok\n"), running.so_far());
}

BOOST_AUTO_TEST_CASE(cve_2024_21626_no_descriptor_of_ours_is_a_working_directory) {
    write(home / "secret", "SECRET\n");
    const Process running = idle({"--profile", "strict", "--rw", project.string(), "--tmpfs", "/data"});
    Words directories = {"/proc/1/root", "/proc/1/cwd", "/proc/self/task/../../1/root"};
    for (int number = 0; number < 20; ++number) {
        directories.push_back("/proc/self/fd/" + std::to_string(number));
        const fs::path planted = project / ("link" + std::to_string(number));
        fs::create_symlink("/proc/self/fd/" + std::to_string(number), planted);
        directories.push_back(planted.string());
    }
    for (const std::string& at : directories) {
        expect_refused(exec({"--workdir", at, "web", "cat", "." + (home / "secret").string()}),
                       "cannot enter the working directory");
    }
    // One that leads to the root inside is as good as "/".
    const Result inside_root = exec({"--workdir", "/proc/self/root", "web", "sh", "-c",
                                     "cat ." + (home / "secret").string() + " ../.." + (home / "secret").string()});
    BOOST_TEST(inside_root.out.empty(), inside_root);
    BOOST_TEST(exec({"--workdir", project.string(), "web", "/bin/pwd"}).out == project.string() + "\n");
}

BOOST_AUTO_TEST_CASE(what_cmd_replaces_inside_is_not_read_before_the_restrictions_hold) {
    // CMD owns the root: each of these tells, by the program that it names, with which rights it was read.
    Process running =
        start({"--profile", "permissive", "--root", "--cap-add", "all", "--tmpfs", "/etc", "--tmpfs", "/var/tmp"},
              "echo 'evil:x:0:0::/:/var/tmp/shell' > /etc/passwd; echo /var/tmp/evil.so > /etc/ld.so.preload; "
              "echo 'passwd: evil' > /etc/nsswitch.conf; mkdir -p /var/tmp/work; cd /var/tmp/work; "
              "rmdir /var/tmp/work; echo up; cat");
    const Result entered = exec({"--workdir", "/", "web", probe("privileges")});
    BOOST_TEST(entered.status == 0, entered);
    BOOST_TEST(entered.printed("NoNewPrivs:\t1"), entered);
    // No name is looked up in a file of CMD's making.
    expect_refused(exec({"--user", "evil", "web", "true"}), "names would be those of files that CMD may have written");
    running.close_input();
}

BOOST_AUTO_TEST_CASE(util_linux_1592_a_sandbox_that_holds_another_user_namespace_is_entered) {
    const Process running = start({"--profile", "permissive"}, "unshare -Ur sh -c 'echo up; cat'");
    const Result entered = exec_sh("readlink /proc/self/ns/user; readlink /proc/2/ns/user; id -u");
    BOOST_TEST(entered.status == 0, entered);
    BOOST_TEST(entered.out.ends_with(std::to_string(user().uid) + "\n"), entered);
}

BOOST_AUTO_TEST_CASE(a_run_that_is_starting_is_entered_whole_or_not_at_all) {
    write(home / "secret", "SECRET\n");
    int entered = 0;
    for (int i = 0; i < rounds(20); ++i) {
        Process running({sandbox_program(), "--quiet", "--profile", "strict", "--name", "web", "--", "cat"}, [&] {
            Options open = options;
            open.keep_input_open = true;
            return open;
        }());
        for (bool is_there = false; !is_there;) {
            const Result tried = exec({"web", "sh", "-c", "cat " + (home / "secret").string() + "; echo IN"});
            BOOST_TEST(!tried.printed("SECRET"), tried);
            is_there = tried.status == 0;
            const bool is_clear = tried.said("no sandbox 'web' runs") || tried.said("is still being started");
            BOOST_REQUIRE_MESSAGE(is_there || is_clear, tried);
            entered += is_there ? 1 : 0;
        }
        running.close_input();
        BOOST_TEST(running.finish().status == 0);
    }
    BOOST_TEST(entered == rounds(20));
    BOOST_TEST(sh("cat ~/secret").printed("SECRET"));
}

BOOST_AUTO_TEST_CASE(a_command_ends_with_its_sandbox_and_holds_nothing_up) {
    for (const Words& how : {Words{}, Words{"--share", "pid"}}) {
        for (const bool is_stopped : {false, true}) {
            Words words = {"--profile", "strict"};
            words.insert(words.end(), how.begin(), how.end());
            Process running = idle(words);
            Process entered(words_of({"web", "sh", "-c", "echo in; exec sleep 27182"}), options);
            BOOST_TEST(entered.wait_for("in\n"), entered.so_far());
            if (is_stopped) {
                entered.signal(SIGSTOP);
            }
            running.close_input();
            // With the host's pid namespace CMD's own processes are all that the run waits for.
            BOOST_TEST(running.finish().status == 0);
            entered.signal(SIGCONT);
            const Result ended = entered.finish();
            BOOST_TEST(ended.status == 128 + SIGKILL, ended);
            BOOST_TEST(ended.said("the sandbox 'web' ended, and the command with it"), ended);
            expect_refused(exec({"web", "true"}), "no sandbox 'web' runs");
        }
    }
}

BOOST_AUTO_TEST_CASE(a_supervisor_that_was_killed_leaves_nothing_to_enter) {
    Process running = idle();
    running.signal(SIGKILL);
    static_cast<void>(running.finish());
    expect_refused(exec({"web", "true"}), "no sandbox 'web' runs");
}

BOOST_AUTO_TEST_CASE(a_sandbox_that_is_just_ending_is_told_as_ended) {
    Process running = idle();
    running.signal(SIGSTOP); // so that its pid 1 stays to be waited for
    const std::string init = " -P " + std::to_string(running.pid()) + " -x sandbox-init";
    const Result killed = sh("pkill -KILL" + init + " && while pgrep -r RSDT" + init + "; do :; done");
    BOOST_TEST(killed.status == 0, killed);
    expect_refused(exec({"web", "true"}), "the sandbox 'web' ended before the command was started in it");
    running.signal(SIGCONT);
    static_cast<void>(running.finish());
}

BOOST_AUTO_TEST_CASE(a_stopped_sandbox_and_a_stopped_supervisor_are_entered) {
    const Process running = start({"--profile", "strict"}, "echo up; kill -STOP $$; cat");
    BOOST_TEST(exec({"web", "echo", "in"}).out == "in\n");
    running.signal(SIGSTOP);
    BOOST_TEST(exec({"web", "echo", "in"}).out == "in\n");
    running.signal(SIGCONT);
}

BOOST_AUTO_TEST_CASE(a_sandbox_without_room_for_a_process_gives_an_error_or_room) {
    Process running = start({"--profile", "strict", "--user", "77", "--ulimit", "nproc=20"},
                            "i=0; while [ $i -lt 17 ]; do sleep 1000 & i=$((i+1)); done; echo up; cat");
    const Result entered = exec({"web", "echo", "in"});
    BOOST_TEST((entered.out == "in\n" || entered.said("Resource temporarily unavailable")), entered);
    BOOST_TEST(!entered.hung, entered);
    running.close_input();
}

BOOST_AUTO_TEST_CASE(a_command_ends_with_the_program_that_started_it) {
    const Process running = start({"--profile", "strict"}, "echo up; cat");
    const std::string look = "grep -l 27182 /proc/[0-9]*/cmdline 2>/dev/null | grep -v self";
    for (const int signal : {SIGKILL, SIGTERM, SIGINT, SIGHUP}) {
        Process entered(words_of({"web", "sh", "-c", "echo in; exec sleep 27182"}), options);
        BOOST_TEST(entered.wait_for("in\n"), entered.so_far());
        BOOST_TEST(exec({"web", "sh", "-c", "until pgrep -x sleep; do sleep 0.05; done"}).status == 0);
        entered.signal(signal);
        BOOST_TEST(entered.finish().status == 128 + signal);
        BOOST_TEST(exec({"web", "sh", "-c", "while pgrep -x sleep; do sleep 0.05; done; echo gone"}).printed("gone"));
    }
    // A signal that CMD handles is its own affair.
    Process entered(
        words_of({"web", "sh", "-c", "trap 'echo usr1; exit 3' USR1; echo in; while :; do sleep 0.05; done"}), options);
    BOOST_TEST(entered.wait_for("in\n"), entered.so_far());
    entered.signal(SIGUSR1);
    const Result ended = entered.finish();
    BOOST_TEST(ended.status == 3, ended);
    BOOST_TEST(ended.printed("usr1"), ended);
}

BOOST_AUTO_TEST_CASE(what_a_command_leaves_running_belongs_to_the_sandbox) {
    const Belongings before = belongings_at_rest(*this);
    {
        Process running = idle();
        BOOST_TEST(exec_sh("sleep 27182 >/dev/null 2>&1 & echo done").out == "done\n");
        BOOST_TEST(exec({"web", "sh", "-c", "until pgrep -x sleep; do sleep 0.05; done"}).status == 0);
        running.close_input();
        BOOST_TEST(running.finish().status == 0);
    }
    {
        // In the host's pid namespace no pid 1 would end it with the sandbox.
        Process running = idle({"--profile", "strict", "--share", "pid"});
        const Result left = exec_sh("setsid sleep 27182 >/dev/null 2>&1 & echo $!");
        const std::string pid = left.out.substr(0, left.out.find('\n'));
        BOOST_TEST(!pid.empty(), left);
        BOOST_TEST(!fs::exists("/proc/" + pid), left);
        running.close_input();
        BOOST_TEST(running.finish().status == 0);
    }
    BOOST_TEST(belongings_settled(*this, before) == before);
}

BOOST_AUTO_TEST_CASE(cmd_cannot_keep_it_from_hearing_of_its_end) {
    Process running =
        start({"--profile", "strict"}, "echo up; read go; pkill -STOP -x sandbox-exec && echo stopped; cat");
    Process entered(words_of({"web", "sh", "-c", "echo up; sleep 27184"}), options);
    BOOST_REQUIRE(entered.wait_for("up\n"));
    running.write("go\n");
    BOOST_REQUIRE(running.wait_for("stopped\n")); // the control: it can be stopped from inside
    entered.signal(SIGTERM);
    BOOST_TEST(entered.finish().status == 128 + SIGTERM);
    running.close_input();
    static_cast<void>(running.finish());
}

BOOST_AUTO_TEST_CASE(nothing_enters_without_the_filter_that_cmd_has) {
    Process running = idle();
    const fs::path filter = home / "runtime/sandbox/runs/web/filter";
    BOOST_TEST(exec({"web", "true"}).status == 0); // the control
    fs::remove(filter);
    expect_refused(exec({"web", "true"}), "cannot read the filter of the sandbox 'web'");
    BOOST_TEST(sh("mkfifo -m 600 " + filter.string()).status == 0);
    expect_refused(exec({"web", "true"}), "cannot read the filter of the sandbox 'web'");
    running.close_input();
    BOOST_TEST(running.finish().status == 0);
}

BOOST_AUTO_TEST_CASE(what_it_left_running_goes_where_it_is_killed_in_the_hosts_pid_namespace) {
    Process running = idle({"--profile", "strict", "--share", "pid"});
    const std::string sleeps = "sleep 27183." + std::to_string(running.pid()); // as nobody else's
    Process entered(words_of({"web", "sh", "-c", "setsid " + sleeps + " & echo up; " + sleeps}), options);
    BOOST_REQUIRE(entered.wait_for("up\n"));
    // The control: they are there to be seen, once both have become a sleep.
    const std::string seen = "\"$(pgrep -cfx '" + sleeps + "')\"";
    BOOST_TEST(sh("until test " + seen + " = 2; do sleep 0.05; done; echo seen").printed("seen\n"));
    entered.signal(SIGKILL);
    static_cast<void>(entered.finish());
    BOOST_TEST(sh("until test " + seen + " = 0; do sleep 0.05; done; echo gone").printed("gone\n"));
    running.close_input();
    BOOST_TEST(running.finish().status == 0);
}

BOOST_AUTO_TEST_CASE(a_process_that_has_the_pid_of_the_record_is_not_touched) {
    // The record of a run is put where another process of the user's holds the lock and has the number.
    Process running = idle();
    const fs::path entry = home / "runtime/sandbox/runs/web";
    const std::string record = read_file(entry / "record");
    const std::string number = "\"supervisor\":{\"pid\":" + std::to_string(running.pid());
    BOOST_REQUIRE(record.find(number) != std::string::npos);
    static_cast<void>(sh("sleep 0.05")); // two processes of one tick of the clock have the same start time
    const Process other({"/bin/sleep", "1000"}, options);
    std::string forged = record;
    forged.replace(forged.find(number), number.size(), "\"supervisor\":{\"pid\":" + std::to_string(other.pid()));
    write(entry / "record", forged, 0600);
    expect_refused(exec({"web", "true"}), "the sandbox 'web' has ended");
    write(entry / "record", record, 0600);
    BOOST_TEST(exec({"web", "true"}).status == 0);
}

BOOST_AUTO_TEST_CASE(an_interactive_shell_has_job_control_and_leaves_the_run_alone) {
    Process running = idle();
    Terminal terminal(words_of({"--tty", "--env", "PS1=IN$ ", "web", "bash", "--norc", "--noprofile", "-i"}), options,
                      33, 111);
    BOOST_REQUIRE_MESSAGE(terminal.see("IN$ "), terminal.screen());
    const auto line = [&](const std::string& text) { terminal.type(text + "\n"); };
    line("tty; stty size; sleep 1000 & jobs");
    BOOST_TEST(terminal.see("/dev/pts/"), terminal.screen());
    BOOST_TEST(terminal.see("33 111"), terminal.screen());
    BOOST_TEST(terminal.see("Running"), terminal.screen());
    line("kill %1; sh -c 'echo u\"p\"; exec sleep 1000'");
    BOOST_REQUIRE_MESSAGE(terminal.see("up\r\n"), terminal.screen());
    terminal.type("\x03");
    BOOST_REQUIRE_MESSAGE(terminal.see("IN$ "), terminal.screen());
    line("echo status=$?");
    BOOST_TEST(terminal.see("status=130"), terminal.screen());
    line("sh -c 'echo u\"p\"; exec sleep 1000'");
    BOOST_REQUIRE_MESSAGE(terminal.see("up\r\n"), terminal.screen());
    terminal.type("\x1a");
    BOOST_TEST(terminal.see("Stopped"), terminal.screen());
    line("kill %1; stty size");
    terminal.resize(44, 122);
    line("stty size");
    BOOST_TEST(terminal.see("44 122"), terminal.screen());
    line("exit 9");
    BOOST_TEST(terminal.wait() == 9, terminal.screen());
    BOOST_TEST(exec({"web", "echo", "still"}).out == "still\n");
    running.close_input();
    BOOST_TEST(running.finish().status == 0);
}

BOOST_AUTO_TEST_CASE(ctrl_z_stops_the_whole_and_ctrl_c_ends_it) {
    const Process running = idle();
    Options prompted = options;
    prompted.environment["PS1"] = "OUT$ ";
    for (const std::string tty : {"--tty", "--no-tty"}) {
        Terminal shell({"bash", "--norc", "--noprofile", "-i"}, prompted);
        BOOST_REQUIRE(shell.see("OUT$ "));
        shell.type(sandboxctl_program() + " exec " + tty + " web sh -c 'echo u\"p\"; exec sleep 1000'\n");
        BOOST_REQUIRE_MESSAGE(shell.see("up\r\n"), shell.screen());
        shell.type("\x1a");
        BOOST_REQUIRE_MESSAGE(shell.see("Stopped"), tty << shell.screen());
        shell.type("fg\n");
        static_cast<void>(shell.rest());
        shell.type("\x03");
        BOOST_REQUIRE_MESSAGE(shell.see("OUT$ "), tty << shell.screen());
        shell.type("echo status=$?\n");
        BOOST_TEST(shell.see("status=130"), tty << shell.screen());
    }
}

BOOST_AUTO_TEST_CASE(ctrl_z_stops_nothing_where_no_shell_could_continue_it) {
    const Process running = idle();
    for (const std::string tty : {"--tty", "--no-tty"}) {
        Terminal plain({sandboxctl_program(), "exec", tty, "web", "cat"}, options);
        plain.type("abc\n");
        BOOST_REQUIRE_MESSAGE(plain.see("abc\r\nabc\r\n"), tty << plain.screen());
        plain.type("\x1a");
        static_cast<void>(plain.rest());
        plain.type("def\n");
        BOOST_TEST(plain.see("def\r\ndef\r\n"), tty << plain.screen());
        plain.type("\x04");
        BOOST_TEST(plain.wait() == 0, tty << plain.screen());
    }
}

BOOST_AUTO_TEST_CASE(it_does_not_run_with_privileges_of_its_own) {
    NEEDS(started_by_root(), "only root can make a setuid program of root's");
    const Process running = idle();
    const fs::path privileged = home / "sandboxctl";
    fs::copy_file(sandboxctl_program(), privileged);
    BOOST_REQUIRE(::chmod(privileged.c_str(), 04755) == 0);
    expect_refused(run({privileged.string(), "exec", "web", "true"}, options), "privileges of its own");
}

BOOST_AUTO_TEST_SUITE_END()
