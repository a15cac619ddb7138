// The report of what the filter refused: it is right, it changes nothing, and nothing inside can break or forge it.
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <csignal>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <random>
#include <string>

#include "tests/support/count.hpp"
#include "tests/support/report_world.hpp"

using namespace sandbox::test;

namespace fs = std::filesystem;
using nlohmann::json;

namespace {

struct Call {
    const char* name;
    long number;
};

#define CALL(name)                                                                                                     \
    Call {                                                                                                             \
#name, SYS_##name                                                                                              \
    }
/// Refused by the default action of `strict`, whatever the arguments.
constexpr Call kRefused[] = {
    CALL(acct),
    CALL(add_key),
    CALL(adjtimex),
    CALL(bpf),
    CALL(chroot),
    CALL(clock_settime),
    CALL(delete_module),
    CALL(fanotify_init),
    CALL(finit_module),
    CALL(fsconfig),
    CALL(fsmount),
    CALL(fsopen),
    CALL(fspick),
    CALL(init_module),
    CALL(io_destroy),
    CALL(io_setup),
    CALL(io_uring_enter),
    CALL(kcmp),
    CALL(kexec_load),
    CALL(keyctl),
    CALL(lookup_dcookie),
    CALL(mbind),
    CALL(migrate_pages),
    CALL(mlock),
    CALL(mlockall),
    CALL(mount),
    CALL(mount_setattr),
    CALL(move_mount),
    CALL(move_pages),
    CALL(mq_open),
    CALL(mq_unlink),
    CALL(msgget),
    CALL(name_to_handle_at),
    CALL(open_by_handle_at),
    CALL(open_tree),
    CALL(perf_event_open),
    CALL(pidfd_getfd),
    CALL(pivot_root),
    CALL(process_madvise),
    CALL(process_vm_readv),
    CALL(process_vm_writev),
    CALL(ptrace),
    CALL(quotactl),
    CALL(reboot),
    CALL(remap_file_pages),
    CALL(request_key),
    CALL(semget),
    CALL(set_mempolicy),
    CALL(setdomainname),
    CALL(setfsuid),
    CALL(sethostname),
    CALL(setns),
    CALL(settimeofday),
    CALL(shmget),
    CALL(swapoff),
    CALL(swapon),
    CALL(syslog),
    CALL(umount2),
    CALL(unshare),
    CALL(userfaultfd),
    CALL(vhangup),
};
#undef CALL

struct Reporting : ReportWorld {
    [[nodiscard]] Reported reported(Words options, const Words& command) const {
        options.insert(options.end(), {"--ro", probe_directory()});
        return ReportWorld::reported(options, command);
    }
    [[nodiscard]] Reported refused(const Words& words) const {
        Words command = {probe("refused")};
        command.insert(command.end(), words.begin(), words.end());
        return reported({"--profile", "strict"}, command);
    }
    /// The same; `peak` tells then what the supervisor or a process below it held in memory at most, in KiB.
    [[nodiscard]] Reported refused_and_weighed(const Words& words) const {
        Words command = {probe("peak"),     (home / "peak").string(),
                         sandbox_program(), "--profile",
                         "strict",          "--report-json",
                         report_file(),     "--ro",
                         probe_directory(), "--",
                         probe("refused")};
        command.insert(command.end(), words.begin(), words.end());
        return read(run(command, patient()));
    }
    /// Before Linux 6.6 each answer wakes another CPU, and a million of them take longer than any other test.
    [[nodiscard]] Options patient() const {
        Options options = here();
        options.watchdog = std::chrono::minutes(10);
        return options;
    }
    [[nodiscard]] long peak() const { return std::stol(read_file(home / "peak")); }
};

/// Where the sanitizers hold no memory of their own beside it.
constexpr long kMostMemory = 20L * 1024;

std::vector<Call> chosen(std::size_t count, unsigned seed) {
    std::vector<Call> calls(std::begin(kRefused), std::end(kRefused));
    std::shuffle(calls.begin(), calls.end(), std::mt19937(seed));
    calls.resize(count);
    return calls;
}

const std::string kPtrace = std::to_string(SYS_ptrace);

} // namespace

BOOST_FIXTURE_TEST_SUITE(report, Reporting)

BOOST_AUTO_TEST_CASE(each_refused_call_is_there_by_name_count_and_line_whoever_makes_it) {
    const unsigned seed = std::random_device()();
    BOOST_TEST_CONTEXT("seed " << seed) {
        const std::vector<Call> calls = chosen(30, seed);
        for (const char* way : {"self", "thread", "grandchild", "exec", "alarm"}) {
            Words words = {way};
            for (std::size_t i = 0; i < calls.size(); ++i) {
                words.insert(words.end(), i % 3 + 1, std::to_string(calls[i].number));
            }
            const Reported seen = refused(words);
            BOOST_TEST(seen.result.status == 0, seen.result);
            BOOST_TEST(!seen.result.printed("ok"), seen.result);
            BOOST_TEST(seen.report.at("refusals").size() == calls.size(), way << seen.report.dump(1));
            for (std::size_t i = 0; i < calls.size(); ++i) {
                const json refusal = seen.of(calls[i].name);
                BOOST_REQUIRE_MESSAGE(!refusal.is_null(), way << ": " << calls[i].name << seen.report.dump(1));
                BOOST_TEST(refusal.at("kind") == "syscall");
                BOOST_TEST(refusal.at("count") == i % 3 + 1, way << ": " << calls[i].name);
                BOOST_TEST(refusal.at("errno") == "EPERM");
                BOOST_TEST(refusal.at("programs") == json::array({way == std::string("exec") ? "exe" : "refused"}),
                           way << refusal.dump());
                BOOST_TEST(refusal.at("origin").at("key") == "seccomp.default");
                BOOST_TEST(refusal.at("origin").at("source").get<std::string>().ends_with("/strict.toml"));
                BOOST_TEST(refusal.at("origin").at("line") > 0);
            }
        }
    }
}

BOOST_AUTO_TEST_CASE(every_number_answers_as_under_the_plain_filter) {
    // With arguments that no call takes. Those that end, stop or leave the process are no questions.
    const std::vector<long> kLeaves = {
        SYS_exit,   SYS_exit_group, SYS_pause, SYS_rt_sigreturn, SYS_rt_sigsuspend,   SYS_vfork,
        SYS_fork,   SYS_clone,      SYS_kill,  SYS_tkill,        SYS_close_range,     SYS_close,
        SYS_munmap, SYS_seccomp,    SYS_prctl, SYS_dup2,         SYS_restart_syscall, SYS_rt_sigprocmask,
        SYS_select, SYS_poll,       SYS_ppoll, SYS_pselect6};
    for (const char* profile : {"strict", "default", "build"}) {
        Words calls;
        for (long number = 0; number < 470; ++number) {
            const bool is_exempt = number == 335 || number == 336; // uretprobe, uprobe: no filter sees them
            if (!is_exempt && std::ranges::find(kLeaves, number) == kLeaves.end()) {
                calls.push_back(std::to_string(number));
            }
        }
        const auto answers = [&](const char* when) {
            Words words = {"--profile", profile,           "--net", "none",           "--report",  when,
                           "--ro",      probe_directory(), "--",    probe("refused"), "grandchild"};
            words.insert(words.end(), calls.begin(), calls.end());
            return sandbox(words);
        };
        const Result plain = answers("never");
        const Result reporting = answers("always");
        const auto refusals = [](const Result& result) {
            std::map<std::string, std::string> found;
            std::istringstream lines(result.out);
            for (std::string line; std::getline(lines, line);) {
                if (line.ends_with(": EPERM") || line.ends_with(": ENOSYS") || line.ends_with(": EAFNOSUPPORT")) {
                    found[line.substr(0, line.find(':'))] = line;
                }
            }
            return found;
        };
        BOOST_TEST(refusals(plain).size() > 50U, profile << plain);
        BOOST_TEST((refusals(plain) == refusals(reporting)), profile << plain << reporting);
        BOOST_TEST(reporting.said("system call"), reporting);
        BOOST_TEST(!plain.said("system call"), plain);
    }
}

BOOST_AUTO_TEST_CASE(the_deciding_argument_is_told_by_its_name_and_the_rule_by_its_line) {
    const Reported seen = reported({"--profile", "default"}, {probe("attempt"), "vsock", "clone-newuser"});
    const json vsock = seen.of("socket AF_VSOCK");
    BOOST_REQUIRE_MESSAGE(!vsock.is_null(), seen.result << seen.report.dump(1));
    BOOST_TEST(vsock.at("origin").at("key") == "seccomp.rule");
    BOOST_TEST(vsock.at("origin").at("source").get<std::string>().ends_with("/default.toml"));
    BOOST_TEST(vsock.at("grant").is_null());
    BOOST_TEST(!seen.of("clone CLONE_NEWUSER").is_null(), seen.report.dump(1));
}

BOOST_AUTO_TEST_CASE(it_is_told_where_somebody_would_ask) {
    const Words tries = {probe("refused"), "self", kPtrace};
    const auto run_with = [&](const Words& options, const Words& command) {
        Words words = {"--profile", "strict", "--ro", probe_directory()};
        words.insert(words.end(), options.begin(), options.end());
        words.emplace_back("--");
        words.insert(words.end(), command.begin(), command.end());
        return sandbox(words);
    };
    const Words fails = {"sh", "-c", "'" + probe("refused") + "' self " + kPtrace + "; exit 3"};
    const std::string line = "system call ptrace, once, by refused: ";
    BOOST_TEST(!run_with({}, tries).said("refused"), "CMD succeeded and nobody is at a terminal");
    const Result failed = run_with({}, fails);
    BOOST_TEST(failed.status == 3, failed);
    BOOST_TEST(failed.said(line), failed);
    BOOST_TEST(failed.said("strict.toml"), failed);
    BOOST_TEST(failed.said("to allow it: --seccomp-allow ptrace, or in a profile: seccomp.allow = [\"ptrace\"]"),
               failed);
    BOOST_TEST(run_with({"--report", "always"}, tries).said(line));
    BOOST_TEST(run_with({"--report", "always", "--quiet"}, tries).said(line));
    BOOST_TEST(!run_with({"--quiet"}, fails).said(line));
    BOOST_TEST(!run_with({"--report", "never"}, fails).said(line));
    BOOST_TEST(!run_with({"--report", "always"}, {"true"}).said("refused"), "nothing was");
    BOOST_TEST(run_with({"--report", "sometimes"}, {"true"}).status == 125);
}

BOOST_AUTO_TEST_CASE(what_a_profile_calls_quiet_is_refused_without_a_word) {
    profile("quiet", R"(extends = "strict"
[seccomp]
quiet = ["ptrace", "clone"]
[[seccomp.rule]]
syscalls = ["getpriority"]
action   = "EACCES"
quiet    = true
[[seccomp.rule]]
syscalls = ["getppid"]
action   = "EACCES"
)");
    const Words calls = {probe("refused"),
                         "self",
                         kPtrace,
                         std::to_string(SYS_getpriority),
                         std::to_string(SYS_clone) + ":0x10000000",
                         std::to_string(SYS_getppid),
                         std::to_string(SYS_keyctl)};
    const Reported seen = reported({"--profile", "quiet"}, calls);
    BOOST_TEST(seen.result.out == kPtrace + ": EPERM\n" + calls[3] + ": EACCES\n" + calls[4] + ": EPERM\n" + calls[5] +
                                      ": EACCES\n" + calls[6] + ": EPERM\n",
               seen.result);
    BOOST_TEST(seen.report.at("refusals").size() == 2U, seen.report.dump(1));
    BOOST_TEST(!seen.of("getppid").is_null());
    BOOST_TEST(!seen.of("keyctl").is_null());
}

BOOST_AUTO_TEST_CASE(a_filter_of_cmds_own_changes_nothing_but_what_it_refuses_first) {
    const std::string high = std::to_string(SYS_open_tree); // above 400
    const auto answer_of = [&](const char* way) { return refused({way, high, kPtrace}).result.out; };
    BOOST_TEST(answer_of("own-allow") == high + ": EPERM\n" + kPtrace + ": EPERM\n");
    BOOST_TEST(answer_of("own-errno") == high + ": EXDEV\n" + kPtrace + ": EPERM\n");
    // Two filters ask, and the newer one has nobody who listens.
    BOOST_TEST(answer_of("own-notify") == high + ": ENOSYS\n" + kPtrace + ": EPERM\n");
    BOOST_TEST(refused({"own-trap", high}).result.status == 128 + SIGSYS);
    const Reported allowing = refused({"own-allow", high});
    BOOST_TEST(!allowing.of("open_tree").is_null(), allowing.report.dump(1));
}

BOOST_AUTO_TEST_CASE(cmd_gets_no_listener_beside_ours_and_the_control_gets_one) {
    const auto asked = [&](const char* when) {
        return sandbox(
            {"--profile", "strict", "--report", when, "--ro", probe_directory(), "--", probe("refused"), "listener"});
    };
    BOOST_TEST(asked("auto").out == "listener: EBUSY\n");
    BOOST_TEST(asked("never").out == "listener: ok\n");
}

BOOST_AUTO_TEST_CASE(under_an_outer_listener_the_filter_holds_and_the_report_says_that_it_is_blind) {
    // An outer filter of a program without privileges sets no_new_privs, under which newuidmap gains nothing.
    profile("inner", "extends = \"strict\"\n[ids]\nmap = \"self\"\ngroups = \"keep\"\n");
    const Words command = {sandbox_program(), "--profile", "inner", "--report-json",   report_file(),
                           "--report",        "always",    "--ro",  probe_directory(), "--",
                           probe("refused"),  "self",      kPtrace};
    Words outer = {probe("refused"), "outer"};
    outer.insert(outer.end(), command.begin(), command.end());
    const Reported seen = read(outside(outer));
    BOOST_TEST(seen.result.out == kPtrace + ": EPERM\n", seen.result);
    BOOST_TEST(seen.report.at("refusals").empty());
    BOOST_REQUIRE_MESSAGE(seen.report.at("blind").size() == 1U, seen.report.dump(1) << seen.result);
    BOOST_TEST(seen.result.said("which system calls were refused is not known: an outer sandbox listens"), seen.result);
    const Reported control = read(outside(command));
    BOOST_TEST(control.report.at("blind").empty());
    BOOST_TEST(!control.of("ptrace").is_null());
}

BOOST_AUTO_TEST_CASE(a_profile_that_refuses_what_a_hand_over_would_need_can_be_reported) {
    profile("narrow", R"(extends = "strict"
[seccomp]
deny = ["sendmsg", "recvmsg", "close", "sendto", "socketpair", "dup", "dup3", "fcntl", "ioctl", "poll", "ppoll"]
[[seccomp.rule]]
syscalls = ["read"]
action   = "deny"
when     = [{ arg = 0, op = "==", value = 77 }]
)");
    const Reported seen =
        reported({"--profile", "narrow"}, {probe("refused"), "self", "0:77", std::to_string(SYS_close)});
    BOOST_TEST(seen.result.out == "0:77: EPERM\n" + std::to_string(SYS_close) + ": EPERM\n", seen.result);
    BOOST_TEST(!seen.of("close").is_null(), seen.report.dump(1));
    BOOST_TEST(!seen.of("read 0x4d").is_null(), seen.report.dump(1));
    // Not even write: nothing can be printed then, and the report tells it.
    // (AddressSanitizer writes when a process that cannot exit dies of it.)
    const std::string no_exit = is_sanitized() ? "" : ", \"exit\", \"exit_group\"";
    profile("mute", "extends = \"strict\"\n[seccomp]\ndeny = [\"write\"" + no_exit + "]\n");
    const Reported mute = reported({"--profile", "mute"}, {probe("refused"), "self", kPtrace});
    BOOST_TEST(mute.result.out.empty(), mute.result);
    BOOST_TEST(!mute.of("write").is_null(), mute.report.dump(1));
    // A start that fails calls exit under the filter, while nobody listens.
    const Result nothing = sandbox({"--profile", "mute", "--", "/no/such/program"});
    BOOST_TEST(!nothing.hung);
    BOOST_TEST(nothing.status == 127, nothing);
}

BOOST_AUTO_TEST_CASE(a_million_refused_calls_are_counted_and_cost_no_memory) {
    const std::string many = std::to_string(rounds(1'000'000));
    const Reported seen = refused_and_weighed({"loop", many, kPtrace});
    BOOST_TEST(seen.result.out == many + "\n", seen.result);
    BOOST_REQUIRE(!seen.of("ptrace").is_null());
    BOOST_TEST(seen.of("ptrace").at("count") == rounds(1'000'000));
    BOOST_TEST((peak() < kMostMemory || is_sanitized()), peak());
}

BOOST_AUTO_TEST_CASE(signals_without_end_make_no_refused_call_pass_nor_count_twice) {
    const std::string many = std::to_string(rounds(50'000));
    const Reported seen = refused({"alarmed-loop", many, kPtrace});
    BOOST_TEST(seen.result.out == many + "\nrang\n", seen.result);
    BOOST_REQUIRE(!seen.of("ptrace").is_null());
    BOOST_TEST(seen.of("ptrace").at("count") == rounds(50'000));
}

BOOST_AUTO_TEST_CASE(a_thread_that_changes_the_name_of_a_refused_mount_gets_no_mount) {
    const std::string many = std::to_string(rounds(20'000));
    const Reported seen = reported({"--profile", "strict"}, {probe("race"), "mount", many});
    BOOST_TEST(seen.result.out == "refused " + many + "\nmounted 0\n", seen.result);
    BOOST_TEST(seen.report.at("refusals").size() == 1U, seen.report.dump(1));
    const json refusal = seen.of("mount");
    BOOST_REQUIRE_MESSAGE(!refusal.is_null(), seen.report.dump(1));
    BOOST_TEST(refusal.at("count") == rounds(20'000));
    BOOST_TEST(refusal.at("errno") == "EPERM");
    BOOST_TEST(refusal.at("origin").at("key") == "seccomp.default");
    BOOST_TEST(refusal.at("origin").at("line") > 0);
    const Reported control = reported({"--profile", "strict", "--seccomp-allow", "mount", "--cap-add", "sys_admin"},
                                      {probe("race"), "mount", "100"});
    BOOST_TEST(control.result.printed("refused 0\n"), control.result);
    BOOST_TEST(!control.result.printed("mounted 0\n"), control.result);
    BOOST_TEST(control.of("mount").is_null(), control.report.dump(1));
}

BOOST_AUTO_TEST_CASE(kinds_without_end_are_bounded_and_counted) {
    // 400 families: each is a kind of its own.
    Words words = {"self"};
    for (int family = 100; family < 500; ++family) {
        words.push_back(std::to_string(SYS_socket) + ":" + std::to_string(family));
    }
    const Reported seen = refused_and_weighed(words);
    BOOST_TEST(seen.result.status == 0, seen.result);
    BOOST_TEST((peak() < kMostMemory || is_sanitized()), peak());
    BOOST_TEST(seen.report.at("refusals").size() == 256U);
    BOOST_TEST(seen.report.at("unlisted") == 144);
    words.insert(words.begin(),
                 {"--profile", "strict", "--report", "always", "--ro", probe_directory(), "--", probe("refused")});
    const Result told = sandbox(words);
    BOOST_TEST(std::ranges::count(told.err, '\n') < 50, told);
    BOOST_TEST(told.said("more kinds of system calls"), told);
}

BOOST_AUTO_TEST_CASE(a_program_cannot_write_a_line_of_the_report) {
    const Result told = sandbox({"--profile", "strict", "--report", "always", "--ro", probe_directory(), "--",
                                 probe("refused"), "named", kPtrace});
    BOOST_TEST(told.said(R"(by x\n  \x1b[31mallow: )"), told);
    BOOST_TEST(told.err.find('\x1b') == std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_stopped_supervisor_delays_a_refused_call_and_lets_none_through) {
    Process run({sandbox_program(), "--profile", "strict", "--ro", probe_directory(), "--", probe("refused"), "forever",
                 kPtrace},
                here());
    BOOST_REQUIRE(run.wait_for(kPtrace + ": EPERM\n"));
    run.signal(SIGSTOP);
    run.signal(SIGCONT);
    run.signal(SIGTERM);
    const Result ended = run.finish();
    BOOST_TEST(ended.status == 128 + SIGTERM, ended);
    BOOST_TEST(ended.said("system call ptrace, "), ended);
}

BOOST_AUTO_TEST_CASE(a_killed_supervisor_takes_cmd_along_in_the_middle_of_a_refused_call) {
    const Belongings before = belongings(*this);
    for (int i = 0; i < rounds(10); ++i) {
        Process run({sandbox_program(), "--profile", "strict", "--ro", probe_directory(), "--", probe("refused"),
                     "forever", kPtrace},
                    here());
        BOOST_REQUIRE(run.wait_for(kPtrace + ": EPERM\n"));
        run.signal(SIGKILL);
        BOOST_TEST(run.finish().status == 128 + SIGKILL);
    }
    BOOST_TEST(belongings_settled(*this, before) == before);
}

BOOST_AUTO_TEST_CASE(a_report_that_cannot_be_written_is_an_error_before_the_start) {
    const auto expect = [&](const std::string& target, std::string_view cause) {
        const Result result = sandbox({"--profile", "strict", "--report-json", target, "--", "echo", "CMD RAN"});
        BOOST_TEST(result.status == 125, result);
        BOOST_TEST(result.said(cause), result);
        BOOST_TEST(result.out.empty(), result);
    };
    expect("77", "the descriptor is not open");
    expect("-1", "no descriptor has a negative number");
    BOOST_TEST(!fs::exists(project / "-1"));
    BOOST_TEST(sandbox({"--report-json", "./-1", "--", "true"}).status == 0);
    BOOST_TEST(fs::exists(project / "-1"));
    expect("0", "the descriptor is open for reading only");
    expect(home.string(), "Is a directory");
    expect((home / "none" / "report").string(), "No such file or directory");
    // What fails later leaves no empty report, and one that was there stays.
    const std::string made = (home / "made.json").string();
    BOOST_TEST(sandbox({"--report-json", made, "--", "no-such-program"}).status == 127);
    BOOST_TEST(!fs::exists(made));
    write(made, "precious");
    BOOST_TEST(sandbox({"--report-json", made, "--", "no-such-program"}).status == 127);
    BOOST_TEST(read_file(made) == "precious");
}

BOOST_AUTO_TEST_CASE(a_report_goes_nowhere_but_to_the_file_that_was_there_before_cmd) {
    // A link that an earlier CMD left.
    write(home / "precious", "precious");
    BOOST_TEST(sandbox({"--", "ln", "-s", (home / "precious").string(), "r.json"}).status == 0);
    const Result planted = sandbox({"--report-json", "r.json", "--", "true"});
    BOOST_TEST(planted.status == 125, planted);
    BOOST_TEST(planted.said("it is a link, and no report follows one"), planted);
    BOOST_TEST(read_file(home / "precious") == "precious");
    fs::remove(project / "r.json");
    // Another file in its place: what stands there at the end is no word of ours.
    const Result forged = sandbox({"--report-json", "r.json", "--", "sh", "-c", "rm r.json; echo forged > r.json"});
    BOOST_TEST(forged.status == 125, forged);
    BOOST_TEST(forged.said("another file has taken its name while CMD ran"), forged);
    BOOST_TEST(read_file(project / "r.json") == "forged\n");
    BOOST_TEST(sandbox({"--report-json", "r.json", "--", "true"}).status == 0); // the control
    BOOST_TEST(json::parse(read_file(project / "r.json")).at("profile") == "default");
}

BOOST_AUTO_TEST_CASE(a_reader_that_is_gone_or_never_came_is_an_error_and_no_signal) {
    const Result gone = sh("mkfifo f; exec 3<>f; exec 4>f; exec 3<&-; '" + sandbox_program() +
                           "' --profile strict --report-json 4 -- sh -c 'exit 7'; echo $?");
    BOOST_TEST(gone.out == "125\n", gone);
    BOOST_TEST(gone.said("--report-json 4: cannot write the report: Broken pipe"), gone);
    const Result never = sandbox({"--report-json", "f", "--", "echo", "CMD RAN"});
    BOOST_TEST(!never.hung);
    BOOST_TEST(never.status == 125, never);
    BOOST_TEST(!never.printed("CMD RAN"), never);
}

BOOST_AUTO_TEST_CASE(a_descriptor_gets_the_report_and_cmd_does_not_get_the_descriptor) {
    const Result result = sh("'" + sandbox_program() +
                             "' --profile strict --report-json 7 -- sh -c 'ls /proc/self/fd; exit 4' 7>report.json");
    BOOST_TEST(result.status == 4, result);
    BOOST_TEST(!result.printed("7"), result);
    const json report = json::parse(read_file(project / "report.json"));
    BOOST_TEST(report.at("profile") == "strict");
    BOOST_TEST(report.at("exit").at("status") == 4);
    BOOST_TEST(report.at("exit").at("reason") == "exit");
    BOOST_TEST(report.at("start").get<std::string>() < report.at("end").get<std::string>());
}

BOOST_AUTO_TEST_SUITE_END()

namespace {

/// A command that the profile refuses something, and succeeds with the grant that the report names.
struct Pair {
    const char* profile;
    const char* attempt;
    bool has_other_ids = false; ///< needs a map with more than one id
};

constexpr Pair kPairs[] = {
    {"default", "personality"}, {"strict", "personality"},     {"strict", "ptrace"}, {"strict", "process_vm_readv"},
    {"build", "ptrace"},        {"default", "chroot"},         {"strict", "chroot"}, {"strict", "setuid", true},
    {"strict", "setgid", true}, {"strict", "setgroups", true},
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(report_grants, Reporting)

BOOST_AUTO_TEST_CASE(the_grant_of_a_refused_call_makes_the_same_command_succeed) {
    for (const Pair& pair : kPairs) {
        if (pair.has_other_ids && user().subordinate.second == 0) {
            continue;
        }
        BOOST_TEST_CONTEXT(pair.profile << " " << pair.attempt) {
            const Words command = {probe("attempt"), pair.attempt};
            const Reported first = reported({"--profile", pair.profile, "--net", "none"}, command);
            BOOST_TEST(first.result.printed(": EPERM"), first.result);
            BOOST_REQUIRE_MESSAGE(first.report.at("refusals").size() == 1U, first.report.dump(1));
            const json grant = first.report.at("refusals").at(0).at("grant");
            BOOST_REQUIRE_MESSAGE(grant.is_object(), first.report.dump(1));

            Words options = {"--profile", pair.profile, "--net", "none"};
            std::istringstream words(grant.at("option").get<std::string>());
            for (std::string word; words >> word;) {
                options.push_back(word);
            }
            const Reported by_option = reported(options, command);
            BOOST_TEST(by_option.result.printed(": ok"), by_option.result);

            profile("granted", grant.at("profile").get<std::string>() + "\nextends = \"" + pair.profile + "\"\n");
            const Reported by_profile = reported({"--profile", "granted", "--net", "none"}, command);
            BOOST_TEST(by_profile.result.printed(": ok"), by_profile.result);
        }
    }
}

BOOST_AUTO_TEST_CASE(new_namespaces_have_advice_and_no_grant) {
    for (const char* profile : {"default", "strict", "build"}) {
        const Reported seen =
            reported({"--profile", profile, "--net", "none"}, {probe("attempt"), "unshare-user", "clone-newuser"});
        BOOST_TEST(seen.report.at("refusals").size() == 2U, seen.report.dump(1));
        for (const json& refusal : seen.report.at("refusals")) {
            BOOST_TEST(refusal.at("grant").is_null(), refusal.dump(1));
            BOOST_TEST(refusal.value("advice", "").starts_with("not advised: new namespaces "), refusal.dump(1));
        }
    }
}

BOOST_AUTO_TEST_CASE(where_the_map_has_one_id_no_line_for_another_one_is_told) {
    profile("alone", "extends = \"strict\"\n[ids]\nmap = \"self\"\ngroups = \"keep\"\n");
    const Reported seen = reported({"--profile", "alone"}, {probe("attempt"), "setuid", "setgid", "setgroups"});
    BOOST_TEST(seen.report.at("refusals").size() == 3U, seen.report.dump(1));
    for (const json& refusal : seen.report.at("refusals")) {
        BOOST_TEST(refusal.at("grant").is_null(), refusal.dump(1));
        BOOST_TEST(refusal.value("advice", "").find("one id only (ids.map)") != std::string::npos, refusal.dump(1));
    }
}

BOOST_AUTO_TEST_CASE(a_call_that_a_profile_denies_is_no_matter_of_an_option) {
    profile("denying", "extends = \"default\"\n[seccomp]\ndeny = [\"getpriority\"]\n");
    const Result result = sandbox({"--profile", "denying", "--seccomp-allow", "getpriority", "--", "true"});
    BOOST_TEST(result.status == 125, result);
    BOOST_TEST(result.said("denies getpriority to all"), result);
    BOOST_TEST(sandbox({"--seccomp-allow", "no_such_call", "--", "true"}).said("unknown system call"));
}

BOOST_AUTO_TEST_SUITE_END()
