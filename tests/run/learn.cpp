// sandboxctl learn: what a command was refused becomes a profile under which it works, narrow, and without a secret.
#include <sys/syscall.h>

#include <boost/test/unit_test.hpp>
#include <string>

#include "tests/support/count.hpp"
#include "tests/support/terminal.hpp"
#include "tests/support/world.hpp"

using namespace sandbox::test;

namespace fs = std::filesystem;

namespace {

struct Learning : World {
    Learning() {
        write(home / ".gitconfig", "[user]\n\tname = somebody\n\temail = somebody@example.org\n");
        write(home / "data/one.txt", "one\n");
        write(home / "data/two.txt", "two\n");
        write(home / ".ssh/id_rsa", "PRIVATE KEY\n", 0600);
        write(project / "mine.txt", "mine\n");
    }

    [[nodiscard]] std::string in_home(const char* name) const { return (home / name).string(); }
    [[nodiscard]] std::string in_project(const char* name) const { return (project / name).string(); }
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(learn, Learning)

BOOST_AUTO_TEST_CASE(learn_writes_the_narrowest_profile_under_which_the_command_works) {
    const std::string file = in_project("learned.toml");
    const std::string work = "cat ~/.gitconfig ~/data/one.txt; cat ~/.ssh/id_rsa";
    const Result first = ctl({"learn", "--base", "strict", "-o", file, "--", "sh", "-c", work + "; exit 3"});
    BOOST_TEST(first.status == 3, first);
    BOOST_TEST(first.said("nothing uses it until you say: sandbox -p "), first);
    const std::string text = read_file(file);
    BOOST_TEST(text.find("extends = \"strict\"\n") != std::string::npos, text);
    BOOST_TEST(text.find("\n    \"~/.gitconfig\",  # cat: once, seen in 1 of 1 run\n") != std::string::npos, text);
    BOOST_TEST(text.find("\n# secret: ~/.ssh/id_rsa") != std::string::npos, text);
    BOOST_TEST(text.find("\n    \"~/.ssh") == std::string::npos, text);
    const Result under = sandbox({"--profile", file, "--", "sh", "-c", work});
    BOOST_TEST(under.printed("somebody"), under);
    BOOST_TEST(under.printed("one\n"), under);
    BOOST_TEST(!under.printed("PRIVATE KEY"), under);

    const Result second =
        ctl({"learn", "--base", "strict", "--merge", file, "-o", file, "cat", in_home("data/two.txt")});
    BOOST_TEST(second.status == 1, second);
    const std::string joined = read_file(file);
    BOOST_TEST(joined.find("# runs: 2\n") != std::string::npos, joined);
    BOOST_TEST(joined.find("\"~/data/two.txt\",  # cat: once, seen in 1 of 2 runs\n") != std::string::npos, joined);
    BOOST_TEST(ctl({"profile", "check", file}).status == 0);
    // The base of both is one, and a profile does not extend itself.
    BOOST_TEST(joined.find("extends = \"strict\"\n") != std::string::npos, joined);
    BOOST_TEST(ctl({"learn", "--merge", file, "-o", file, "true"}).status == 0);
    BOOST_TEST(read_file(file).find("extends = \"strict\"\n") != std::string::npos);
    const Result two = ctl({"learn", "--base", "default", "--merge", file, "true"});
    BOOST_TEST(two.said("cannot join what was learned under two profiles, 'strict' and 'default'"), two);
    BOOST_TEST(ctl({"learn", "--base", file, "-o", file, "true"}).said("would extend itself"));
}

BOOST_AUTO_TEST_CASE(learn_grants_no_secret_by_way_of_its_directory_nor_a_socket) {
    for (const char* name : {"a.crt", "b.crt", "c.crt", "d.crt", "server.pem"}) {
        write(home / "certs" / name, name);
    }
    write(home / ".config/rclone/rclone.conf", "KEY\n");
    const Result certs = ctl({"learn", "--base", "strict", "--", "sh", "-c",
                              "cat ~/certs/a.crt ~/certs/b.crt ~/certs/c.crt "
                              "~/certs/d.crt ~/certs/server.pem ~/.config/rclone/rclone.conf"});
    BOOST_TEST(certs.printed("\n    \"~/certs/a.crt\""), certs);
    BOOST_TEST(!certs.printed("\n    \"~/certs\""), certs);
    BOOST_TEST(certs.printed("\n# secret: ~/certs/server.pem"), certs);
    BOOST_TEST(!certs.printed("\n    \"~/.config/rclone"), certs);
    BOOST_TEST(sh("python3 -c \"import socket; socket.socket(socket.AF_UNIX).bind('$HOME/agent')\"").status == 0);
    const Result agent = ctl({"learn", "--base", "strict", "--", "stat", in_home("agent")});
    BOOST_TEST(!agent.printed("\n    \"~/agent\""), agent);
}

BOOST_AUTO_TEST_CASE(learn_takes_system_calls_too_and_leaves_cmds_options_alone) {
    const Result learned = ctl({"learn", "--base", "strict", probe("refused"), "--output", "x"});
    BOOST_TEST(learned.status != 0, learned);
    BOOST_TEST(!fs::exists(project / "x"));
    const Result calls =
        ctl({"learn", "--base=strict", "--", "python3", "-c", "import ctypes; ctypes.CDLL(None).ptrace(0, 0, 0, 0)"});
    BOOST_TEST(calls.printed("[seccomp]\nallow = [\n    \"ptrace\",  # python3: once, seen in 1 of 1 run\n]\n"), calls);
}

BOOST_AUTO_TEST_CASE(learn_that_cannot_begin_or_write_says_so_and_loses_nothing) {
    BOOST_TEST(ctl({"learn"}).said("a command is missing"));
    BOOST_TEST(ctl({"learn", "--base", "nope", "--", "true"}).said("cannot find the profile 'nope'"));
    const std::string file = write(project / "mine.toml", "extends = \"strict\"\n[network]\nmode = \"none\"\n");
    const Result foreign = ctl({"learn", "--merge", file, "-o", file, "--", "echo", "CMD RAN"});
    BOOST_TEST(foreign.status == 125, foreign);
    BOOST_TEST(!foreign.printed("CMD RAN"), foreign);
    BOOST_TEST(read_file(file) == "extends = \"strict\"\n[network]\nmode = \"none\"\n");
    const Result nowhere = ctl({"learn", "-o", in_home("none/file"), "--", "true"});
    BOOST_TEST(nowhere.status == 125, nowhere);
    BOOST_TEST(nowhere.said("cannot write"), nowhere);
    const Result missing = ctl({"learn", "--base", "strict", "-o", in_project("x.toml"), "--", "no-such-program"});
    BOOST_TEST(missing.status == 127, missing);
    BOOST_TEST(!fs::exists(project / "x.toml"));
}

BOOST_AUTO_TEST_CASE(learn_writes_the_rule_and_the_capability_that_a_call_needs_and_a_word_on_what_is_unwise) {
    const std::string file = in_project("learned.toml");
    const std::string work = "import ctypes, os, resource\n"
                             "ctypes.CDLL(None).syscall(" +
                             std::to_string(SYS_add_key) +
                             ", 0, 0, 0, 0, 0)\n"
                             "failed = 0\n"
                             "for call in (lambda: resource.prlimit(os.getpid(), 7), lambda: os.chroot('/')):\n"
                             "    try: call()\n"
                             "    except PermissionError: failed += 1\n"
                             "raise SystemExit(failed)\n";
    const auto learn = [&](const Words& options) {
        Words words = {"learn", "--base", "strict", "-o", file};
        words.insert(words.end(), options.begin(), options.end());
        words.insert(words.end(), {"--", "python3", "-c", work});
        return ctl(words);
    };
    const Result first = learn({});
    BOOST_TEST(first.status == 2, first);
    const Result second = learn({"--merge", file});
    BOOST_TEST(second.status == 2, second);
    const std::string text = read_file(file);
    const auto has = [&](const char* line) { BOOST_TEST(text.find(line) != std::string::npos, text); };
    has("\nrule = [\n    { syscalls = [\"prlimit64\"], action = \"allow\" },  # python3: 2 times, seen in 2 of 2 "
        "runs\n]\n");
    has("\n[capabilities]\nkeep = { add = [\n    \"SYS_CHROOT\",  # python3: 2 times, seen in 2 of 2 runs\n] }\n");
    has("\n    \"chroot\",  # python3: 2 times, seen in 2 of 2 runs\n");
    has("\n# not granted: add_key  # not advised: the kernel's keys are not the sandbox's own  # python3: 2 times, ");
    const Result under = sandbox({"--profile", file, "--", "python3", "-c", work});
    BOOST_TEST(under.status == 0, under);
}

BOOST_AUTO_TEST_CASE(learn_notes_a_secret_that_was_looked_at_once_and_only_where_there_is_one) {
    write(home / ".aws/credentials", "KEY\n", 0600);
    const Result learned =
        ctl({"learn", "--base", "default", "--", "sh", "-c", "cat ~/.ssh/id_rsa ~/.npmrc; cd ~/.aws"});
    BOOST_TEST(learned.printed("\n# secret: ~/.ssh/id_rsa  # "), learned);
    BOOST_TEST(learned.printed("\n# secret: ~/.aws  # "), learned);
    BOOST_TEST(!learned.printed("~/.ssh  #"), learned);
    BOOST_TEST(!learned.printed("~/.npmrc"), learned);
    BOOST_TEST(!learned.printed("\n    \""), learned);
}

BOOST_AUTO_TEST_CASE(learn_grants_no_file_that_a_shell_obeys) {
    write(home / ".bashrc", "# mine\n");
    const Result learned = ctl({"learn", "--", "sh", "-c", "echo evil >> ~/.bashrc; echo 1 <> ~/.bashrc"});
    BOOST_TEST(learned.status == 0, learned);
    BOOST_TEST(!learned.printed("\n    \"~/.bashrc\""), learned);
}

/// Stops at the first thing that it does not get.
const std::string kThreeWishes = "set -e; cat ~/.gitconfig; echo x > new.txt; cat ~/data/one.txt; cat ~/.ssh/id_rsa";

BOOST_AUTO_TEST_CASE(learn_permissive_finds_in_one_run_what_stops_cmd_one_by_one) {
    const Result plain = ctl({"learn", "--base", "strict", "--", "sh", "-c", kThreeWishes});
    BOOST_TEST(plain.status == 1, plain);
    BOOST_TEST(plain.printed("\n    \"~/.gitconfig\""), plain);
    BOOST_TEST(!plain.printed("\"$PWD\""), plain);
    BOOST_TEST(!plain.said("unprotected"), plain);
    const std::string file = in_project("learned.toml");
    const Result all =
        ctl({"learn", "--permissive", "--yes", "--base", "strict", "-o", file, "--", "sh", "-c", kThreeWishes});
    BOOST_TEST(all.status == 0, all);
    BOOST_TEST(all.said("warning: CMD runs unprotected (--permissive)"), all);
    const std::string text = read_file(file);
    BOOST_TEST(text.find("\n    \"~/.gitconfig\"") != std::string::npos, text);
    BOOST_TEST(text.find("\n    \"~/data/one.txt\"") != std::string::npos, text);
    BOOST_TEST(text.find("\n    \"$PWD\"") != std::string::npos, text);
    BOOST_TEST(text.find("\n# secret: ~/.ssh/id_rsa") != std::string::npos, text);
    const Result under = sandbox({"--profile", file, "--", "sh", "-c", kThreeWishes});
    BOOST_TEST(under.printed("one\n"), under);
    BOOST_TEST(!under.printed("PRIVATE KEY"), under);
}

BOOST_AUTO_TEST_CASE(learn_permissive_runs_nothing_where_nobody_can_be_asked) {
    const Result result =
        run({"setsid", "--wait", sandboxctl_program(), "learn", "--permissive", "--", "echo", "CMD RAN"}, logged_in());
    BOOST_TEST(result.status == 125, result);
    BOOST_TEST(!result.printed("CMD RAN"), result);
    BOOST_TEST(result.said("there is no terminal to ask"), result);
    BOOST_TEST(result.said("answer with --yes"), result);
    BOOST_TEST(ctl({"learn", "--yes", "--", "echo", "CMD RAN"}).said("--yes requires --permissive"));
}

BOOST_AUTO_TEST_CASE(learn_permissive_runs_what_a_person_says_yes_to) {
    const auto answered = [&](const char* keys) {
        Terminal terminal({sandboxctl_program(), "learn", "--permissive", "--", "sh", "-c", "echo CMD $((40 + 2))"},
                          logged_in());
        BOOST_TEST(terminal.see("runs 'sh' unprotected: it can do all that you can. Run it so? [y/N] "),
                   terminal.screen());
        terminal.type(keys);
        const int status = terminal.wait();
        static_cast<void>(terminal.rest());
        BOOST_TEST(status == (terminal.screen().find("CMD 42") == std::string::npos ? 125 : 0), terminal.screen());
        return status;
    };
    BOOST_TEST(answered("n\n") == 125);
    BOOST_TEST(answered("\n") == 125);
    BOOST_TEST(answered("\x04") == 125);
    BOOST_TEST(answered("y\n") == 0);
}

BOOST_AUTO_TEST_SUITE_END()
