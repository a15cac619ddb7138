// A person at a terminal, with a real pseudo-terminal: job control, keys, sizes, modes, and no input pushed from
// inside.
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include <boost/test/unit_test.hpp>
#include <csignal>
#include <cstring>

#include "tests/support/count.hpp"
#include "tests/support/terminal.hpp"
#include "tests/support/world.hpp"

using namespace sandbox::test;

namespace {

constexpr const char* kCtrlC = "\x03";
constexpr const char* kCtrlZ = "\x1a";
constexpr const char* kCtrlD = "\x04";

/// A shell of the caller's, with a plain prompt, on a terminal.
Words callers_shell() {
    return {"bash", "--norc", "--noprofile", "-i"};
}

/// The world's options with a prompt that is easy to see.
Options prompted(const World& world) {
    Options options = world.here();
    options.environment["PS1"] = "OUT$ ";
    options.environment["PATH"] = sandbox_program().substr(0, sandbox_program().rfind('/')) + ":/usr/bin:/bin";
    return options;
}

/// `sandbox ... bash` with another prompt.
std::string interactive(const std::string& options = "") {
    return "sandbox --profile strict " + options + " --ro " + probe_directory() +
           " --env 'PS1=IN$ ' -- bash --norc --noprofile -i";
}

bool same_modes(const termios& one, const termios& other) {
    return one.c_iflag == other.c_iflag && one.c_oflag == other.c_oflag && one.c_cflag == other.c_cflag &&
           one.c_lflag == other.c_lflag && std::memcmp(one.c_cc, other.c_cc, sizeof one.c_cc) == 0;
}

/// A terminal where the caller's shell shows its prompt.
struct Shell {
    explicit Shell(const World& world, unsigned short rows = 24, unsigned short columns = 80)
        : terminal(callers_shell(), prompted(world), rows, columns) {
        BOOST_REQUIRE(terminal.see("OUT$ "));
    }
    /// Types a line to the caller's shell or to what runs in it.
    void line(const std::string& text) const { terminal.type(text + "\n"); }

    Terminal terminal;
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(terminal, World)

BOOST_AUTO_TEST_CASE(an_interactive_shell_has_job_control) {
    Shell shell(*this);
    shell.line(interactive());
    BOOST_REQUIRE_MESSAGE(shell.terminal.see("IN$ "), shell.terminal.screen());
    BOOST_TEST(shell.terminal.screen().find("no job control") == std::string::npos, shell.terminal.screen());
    BOOST_TEST(shell.terminal.screen().find("cannot set terminal process group") == std::string::npos);
    shell.line("sleep 1000 & jobs; tty; set -o | grep monitor");
    BOOST_TEST(shell.terminal.see("Running"), shell.terminal.screen());
    BOOST_TEST(shell.terminal.see("/dev/pts/"), shell.terminal.screen());
    BOOST_TEST(shell.terminal.see("on"), shell.terminal.screen());
    shell.line("kill %1; exit 7");
    BOOST_TEST(shell.terminal.see("OUT$ "), shell.terminal.screen());
    shell.line("echo status=$?");
    BOOST_TEST(shell.terminal.see("status=7"), shell.terminal.screen());
}

BOOST_AUTO_TEST_CASE(ctrl_c_ends_the_program_in_front_and_not_the_shell_inside) {
    Shell shell(*this);
    shell.line(interactive());
    BOOST_REQUIRE(shell.terminal.see("IN$ "));
    shell.line("sh -c 'echo up; exec sleep 1000'");
    BOOST_REQUIRE(shell.terminal.see("up\r\n"));
    shell.terminal.type(kCtrlC);
    BOOST_REQUIRE_MESSAGE(shell.terminal.see("IN$ "), shell.terminal.screen());
    shell.line("echo status=$?");
    BOOST_TEST(shell.terminal.see("status=130"), shell.terminal.screen());
}

BOOST_AUTO_TEST_CASE(ctrl_z_inside_a_shell_stops_the_job_of_that_shell) {
    Shell shell(*this);
    shell.line(interactive());
    BOOST_REQUIRE(shell.terminal.see("IN$ "));
    shell.line("sh -c 'echo up; exec sleep 1000'");
    BOOST_REQUIRE(shell.terminal.see("up\r\n"));
    shell.terminal.type(kCtrlZ);
    BOOST_TEST(shell.terminal.see("Stopped"), shell.terminal.screen());
    BOOST_TEST(shell.terminal.see("IN$ "), shell.terminal.screen());
    shell.line("kill %1; fg; exit");
    BOOST_TEST(shell.terminal.see("OUT$ "), shell.terminal.screen());
}

BOOST_AUTO_TEST_CASE(ctrl_c_at_a_plain_program_ends_it) {
    Shell shell(*this);
    shell.line("sandbox --profile strict -- sh -c 'echo up; exec sleep 1000'");
    BOOST_REQUIRE(shell.terminal.see("up\r\n"));
    shell.terminal.type(kCtrlC);
    BOOST_REQUIRE_MESSAGE(shell.terminal.see("OUT$ "), shell.terminal.screen());
    shell.line("echo status=$?");
    BOOST_TEST(shell.terminal.see("status=130"), shell.terminal.screen());
}

BOOST_AUTO_TEST_CASE(ctrl_z_at_a_plain_program_stops_the_whole_and_fg_continues) {
    for (const std::string tty : {"--tty", "--no-tty"}) {
        Shell shell(*this);
        shell.line("sandbox --profile strict " + tty + " -- sh -c 'echo up; read line; echo got $line'");
        BOOST_REQUIRE(shell.terminal.see("up\r\n"));
        shell.terminal.type(kCtrlZ);
        BOOST_REQUIRE_MESSAGE(shell.terminal.see("Stopped"), tty << shell.terminal.screen());
        BOOST_REQUIRE_MESSAGE(shell.terminal.see("OUT$ "), tty << shell.terminal.screen());
        shell.line("echo bet'ween'");
        BOOST_TEST(shell.terminal.see("between\r\n"), tty << shell.terminal.screen());
        shell.line("fg");
        BOOST_TEST(shell.terminal.see("sandbox"), tty << shell.terminal.screen());
        static_cast<void>(shell.terminal.rest());
        shell.line("hello");
        BOOST_TEST(shell.terminal.see("got hello"), tty << shell.terminal.screen());
        BOOST_TEST(shell.terminal.see("OUT$ "), tty << shell.terminal.screen());
    }
}

BOOST_AUTO_TEST_CASE(ctrl_z_stops_nothing_where_no_shell_could_continue_it) {
    // The first program of a session, as `ssh -t HOST sandbox CMD` starts it. The control is CMD by itself.
    const Words sandboxed = {sandbox_program(), "--quiet", "--profile", "strict"};
    for (const Words& before : {Words{}, Words{"--tty", "--"}, Words{"--no-tty", "--"}}) {
        Words words = before.empty() ? Words{} : sandboxed;
        words.insert(words.end(), before.begin(), before.end());
        words.emplace_back("cat");
        Terminal plain(words, here());
        plain.type("abc\n");
        BOOST_REQUIRE_MESSAGE(plain.see("abc\r\nabc\r\n"), plain.screen());
        plain.type(kCtrlZ);
        static_cast<void>(plain.rest());
        plain.type("def\n");
        BOOST_TEST(plain.see("def\r\ndef\r\n"), words.size() << plain.screen());
        plain.type(kCtrlD);
        BOOST_TEST(plain.wait() == 0, words.size() << plain.screen());
    }
}

BOOST_AUTO_TEST_CASE(a_command_that_is_told_to_halt_stays_stopped_without_a_shell) {
    Terminal plain(
        {sandbox_program(), "--quiet", "--profile", "strict", "--", "sh", "-c",
         "(until grep -q '^State:.T' /proc/$$/status; do sleep 0.05; done; sleep 1; grep ^State /proc/$$/status; "
         "kill -CONT $$) & kill -STOP $$; echo went on"},
        here());
    BOOST_TEST(plain.see("T (stopped)"), plain.screen());
    BOOST_TEST(plain.see("went on"), plain.screen());
    BOOST_TEST(plain.wait() == 0, plain.screen());
}

BOOST_AUTO_TEST_CASE(a_sandbox_in_the_background_can_be_brought_to_the_front) {
    Shell shell(*this);
    shell.line("sandbox --profile strict -- sh -c 'sleep 0.2; read line; echo got $line' &");
    BOOST_REQUIRE(shell.terminal.see("OUT$ "));
    static_cast<void>(shell.terminal.rest(std::chrono::milliseconds(700)));
    shell.line("fg");
    static_cast<void>(shell.terminal.rest());
    shell.line("front");
    BOOST_TEST(shell.terminal.see("got front"), shell.terminal.screen());
}

BOOST_AUTO_TEST_CASE(the_size_is_the_callers_and_follows_it) {
    Shell shell(*this, 33, 111);
    shell.line("sandbox --profile strict -- sh -c 'stty size; trap \"stty size; exit\" WINCH; echo up; while :; do "
               "sleep 0.05; done'");
    BOOST_TEST(shell.terminal.see("33 111"), shell.terminal.screen());
    BOOST_REQUIRE(shell.terminal.see("up\r\n"));
    shell.terminal.resize(44, 122);
    BOOST_TEST(shell.terminal.see("44 122"), shell.terminal.screen());
}

BOOST_AUTO_TEST_CASE(the_terminals_modes_are_restored) {
    for (const std::string end : {"", "; kill -9 $$"}) {
        Options options = here();
        Terminal plain({sandbox_program(), "--profile", "strict", "--ro", probe_directory(), "--", "sh", "-c",
                        probe("raw_terminal") + "; stty -echo; echo up; sleep 0.2" + end},
                       options);
        const termios before = plain.modes();
        BOOST_REQUIRE(plain.see("up"));
        BOOST_TEST(plain.wait() >= 0, plain.screen());
        BOOST_TEST(same_modes(before, plain.modes()), plain.screen());
    }
    // Also where the supervisor is asked to end.
    Terminal ended({sandbox_program(), "--profile", "strict", "--", "sh", "-c", "stty raw -echo; echo up; sleep 1000"},
                   here());
    const termios before = ended.modes();
    BOOST_REQUIRE(ended.see("up"));
    ::kill(ended.pid(), SIGTERM);
    BOOST_TEST(ended.wait() == 128 + SIGTERM);
    BOOST_TEST(same_modes(before, ended.modes()));
}

BOOST_AUTO_TEST_CASE(the_foreground_group_is_the_callers_again) {
    Shell shell(*this);
    const pid_t before = shell.terminal.foreground();
    shell.line("sandbox --profile strict -- sh -c 'echo up'");
    BOOST_REQUIRE(shell.terminal.see("up\r\n"));
    BOOST_REQUIRE(shell.terminal.see("OUT$ "));
    BOOST_TEST(shell.terminal.foreground() == before);
}

BOOST_AUTO_TEST_CASE(end_of_file_reaches_cmd) {
    Shell shell(*this);
    shell.line("sandbox --profile strict -- cat; echo status=$?");
    static_cast<void>(shell.terminal.rest());
    shell.line("typed");
    // CMD's answer behind the echo: before the sandbox has the terminal, the key would reach the shell's.
    BOOST_TEST(shell.terminal.see("typed\r\ntyped"), shell.terminal.screen());
    shell.terminal.type(kCtrlD);
    BOOST_TEST(shell.terminal.see("status=0"), shell.terminal.screen());
}

BOOST_AUTO_TEST_CASE(input_typed_ahead_reaches_the_shell_that_reads_next) {
    Shell shell(*this);
    shell.line("sandbox --profile strict -- sleep 0.7");
    static_cast<void>(shell.terminal.rest(std::chrono::milliseconds(200)));
    shell.line("echo after");
    BOOST_TEST(shell.terminal.see("OUT$ "), shell.terminal.screen());
    shell.line("echo still-'usable'");
    BOOST_TEST(shell.terminal.see("still-usable\r\n"), shell.terminal.screen());
}

BOOST_AUTO_TEST_CASE(much_output_arrives_whole_and_in_order) {
    Terminal plain({sandbox_program(), "--quiet", "--profile", "strict", "--", "seq", "1", "20000"}, here());
    BOOST_TEST(plain.wait(std::chrono::seconds(60)) == 0);
    static_cast<void>(plain.rest());
    std::string expected;
    for (int i = 1; i <= 20000; ++i) {
        expected += std::to_string(i) + "\r\n";
    }
    BOOST_TEST((plain.screen() == expected), "of " << expected.size() << " bytes came " << plain.screen().size());
}

BOOST_AUTO_TEST_CASE(only_output_on_a_terminal_and_input_from_a_pipe_work) {
    Shell shell(*this);
    shell.line("echo piped | sandbox --profile strict -- sh -c 'cat; test -t 1 && echo a terminal'");
    BOOST_TEST(shell.terminal.see("piped\r\n"), shell.terminal.screen());
    BOOST_TEST(shell.terminal.see("a terminal\r\n"), shell.terminal.screen());
    shell.line("sandbox --profile strict -- sh -c 'test -t 1 || echo no terminal' | cat");
    BOOST_TEST(shell.terminal.see("no terminal\r\n"), shell.terminal.screen());
}

BOOST_AUTO_TEST_CASE(what_is_typed_cannot_be_read_through_an_output) {
    // A terminal is one open file for input and output.
    const std::string attack = "sh -c 'echo ready; read -t 5 word <&1; echo got=$word' < /dev/null";
    Shell shell(*this);
    shell.line("sandbox --profile strict -- ba" + attack);
    BOOST_REQUIRE(shell.terminal.see("ready\r\n"));
    shell.line("secret");
    BOOST_TEST(shell.terminal.see("got=\r\n"), shell.terminal.screen());
    Shell control(*this);
    control.line("ba" + attack);
    BOOST_REQUIRE(control.terminal.see("ready\r\n"));
    control.line("secret");
    BOOST_TEST(control.terminal.see("got=secret\r\n"), control.terminal.screen());
}

BOOST_AUTO_TEST_CASE(a_background_command_does_not_read_what_is_typed) {
    Shell shell(*this);
    shell.line("sandbox --profile strict -- cat > typed &");
    shell.line("wait; echo the-'end'");
    BOOST_TEST(shell.terminal.see("the-end\r\n"), shell.terminal.screen());
    BOOST_TEST(read_file(project / "typed").empty());
    // The control: in the foreground it does.
    shell.line("sandbox --profile strict -- sh -c 'echo re\"\"ady >&2; cat' > typed");
    BOOST_REQUIRE(shell.terminal.see("ready\r\n"));
    shell.line("typed");
    shell.terminal.type(kCtrlD);
    shell.line("echo the-second-'end'");
    BOOST_TEST(shell.terminal.see("the-second-end\r\n"), shell.terminal.screen());
    BOOST_TEST(read_file(project / "typed") == "typed\n");
}

BOOST_AUTO_TEST_CASE(a_background_command_ends_with_its_terminal) {
    BOOST_TEST(strict_sh("true").status == 0);
    Belongings nothing = belongings(*this);
    nothing.processes.clear(); // those of an earlier test's terminal may still be ending
    {
        Shell shell(*this);
        shell.line("sandbox --profile strict -- sh -c 'echo re\"\"ady; cat' &");
        BOOST_REQUIRE(shell.terminal.see("ready\r"));
        BOOST_TEST(!belongings(*this).processes.empty());
    }
    const Belongings after = belongings_settled(*this, nothing);
    BOOST_TEST(after == nothing, after);
}

BOOST_AUTO_TEST_CASE(the_flags_of_a_shared_terminal_are_restored) {
    const std::string attack =
        "perl -MFcntl -e 'fcntl(STDIN, F_SETFL, fcntl(STDIN, F_GETFL, 0) | O_NONBLOCK) or die; print qq(se), qq(t\\n)'";
    const auto flags_after = [&](const std::string& command) {
        Shell shell(*this);
        shell.line(command + "; sed -n 's/flags://p' /proc/self/fdinfo/0 > ~/flags; echo the-'end'");
        BOOST_TEST(shell.terminal.see("the-end\r\n"), shell.terminal.screen());
        return read_file(home / "flags");
    };
    const std::string usual = flags_after("true");
    BOOST_TEST(flags_after("sandbox --profile strict --no-tty -- " + attack) == usual);
    BOOST_TEST(flags_after(attack) != usual);
}

BOOST_AUTO_TEST_CASE(nothing_can_be_pushed_into_the_callers_terminal) {
    // CVE-2017-5226; with bits above the request's 32 (CVE-2019-10063); TIOCLINUX (CVE-2023-28100).
    for (const std::string tty : {"", "--no-tty", "--tty", "--no-tty < /dev/null", "--seccomp none"}) {
        Shell shell(*this);
        const std::string redirect = tty.find('<') == std::string::npos ? "" : tty.substr(tty.find('<'));
        const std::string option = tty.substr(0, tty.find('<'));
        std::string inner;
        for (const char* target : {"0", "1", "2", "/dev/tty"}) {
            for (const char* request : {"TIOCSTI", "TIOCLINUX"}) {
                for (const char* high : {"0", "123", "ffffffff"}) {
                    inner += probe("tiocsti") + " " + target + " " + request + " " + high + " > /tmp/r; cat /tmp/r; ";
                }
            }
        }
        write(project / "attack.sh", inner);
        shell.line("sandbox --profile strict " + option + " --ro " + probe_directory() + " -- sh attack.sh " +
                   redirect + "; echo the-'end'");
        BOOST_REQUIRE_MESSAGE(shell.terminal.see("the-end\r\n"), tty << shell.terminal.screen());
        const std::string rest = shell.terminal.rest();
        // A pushed line would be run by the caller's shell.
        BOOST_TEST(rest.find("PUSHED") == std::string::npos, tty << shell.terminal.screen());
        if (tty != "--seccomp none") {
            BOOST_TEST(shell.terminal.screen().find("TIOCSTI: ok") == std::string::npos,
                       tty << shell.terminal.screen());
            BOOST_TEST(shell.terminal.screen().find("TIOCLINUX: ok") == std::string::npos,
                       tty << shell.terminal.screen());
        }
    }
    // The control: without a sandbox the line is run. Kernels from 6.2 on can be told to refuse it to everybody.
    Shell shell(*this);
    shell.line(probe("tiocsti") + " 0 TIOCSTI; echo the-'end'");
    BOOST_REQUIRE(shell.terminal.see("the-end\r\n"));
    const bool refused = shell.terminal.screen().find("TIOCSTI: EIO") != std::string::npos;
    NEEDS(!refused, "this kernel refuses TIOCSTI to everybody (dev.tty.legacy_tiocsti)");
    BOOST_TEST(shell.terminal.rest().find("PUSHED") != std::string::npos, shell.terminal.screen());
}

BOOST_AUTO_TEST_CASE(the_callers_terminal_is_not_reachable_by_name) {
    Shell shell(*this);
    shell.line("tty > t; stat -c %d $(tty) > device; echo the-'end'");
    BOOST_REQUIRE(shell.terminal.see("the-end\r\n"));
    const std::string name = read_file(project / "t").substr(0, read_file(project / "t").find('\n'));
    const std::string look = probe("open") + " rw " + name + " /dev/console; stat -c %d /dev/pts";
    // Without a terminal of its own there is no name in its devpts at all.
    const Result attack = inside("permissive", {"sh", "-c", look});
    BOOST_TEST(attack.printed(name + ": ENOENT"), attack);
    BOOST_TEST(!attack.printed("/dev/console: ok"), attack);
    BOOST_TEST(!attack.printed(read_file(project / "device")), attack);
    const Result control = sh(probe("open") + " rw " + name + "; stat -c %d " + name);
    BOOST_TEST(control.printed(name + ": ok"), control);
    BOOST_TEST(control.printed(read_file(project / "device")), control);
}

BOOST_AUTO_TEST_CASE(the_terminal_is_usable_after_the_supervisor_was_killed) {
    Shell shell(*this);
    shell.line("sandbox --profile strict -- sh -c 'echo up; sleep 1000'");
    BOOST_REQUIRE(shell.terminal.see("up\r\n"));
    BOOST_TEST(sh("pkill -KILL -P " + std::to_string(shell.terminal.pid())).status == 0);
    BOOST_REQUIRE_MESSAGE(shell.terminal.see("OUT$ "), shell.terminal.screen());
    shell.line("echo still-'usable'");
    BOOST_TEST(shell.terminal.see("still-usable\r\n"), shell.terminal.screen());
}

BOOST_AUTO_TEST_SUITE_END()
