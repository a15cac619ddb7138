// sandboxctl learn: what a command was refused becomes a profile under which it works, narrow, and without a secret.
#include <sys/syscall.h>

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <cstdlib>
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

BOOST_AUTO_TEST_CASE(a_directory_that_is_not_there_to_write_in_is_learned) {
    write(home / "out/old.txt", "old\n");
    const std::string file = in_project("learned.toml");
    const std::string work = "touch ~/out/new.txt && mv ~/out/old.txt ~/out/moved.txt";
    const Result first =
        ctl({"learn", "-o", file, "--", "sh", "-c", "touch ~/out/new.txt; mkdir -p ~/made; : > ~/made/x"});
    BOOST_TEST(first.status == 0, first);
    const std::string text = read_file(file);
    BOOST_TEST(text.find("\n    \"~/out\",") != std::string::npos, text);
    BOOST_TEST(text.find("\n    \"~/made") == std::string::npos, text);
    const Result under = sandbox({"--profile", file, "--", "sh", "-c", work});
    BOOST_TEST(under.status == 0, under);
    BOOST_TEST(read_file(home / "out/moved.txt") == "old\n");
}

BOOST_AUTO_TEST_CASE(a_directory_at_which_the_command_fails_before_it_opens_anything_is_learned) {
    write(home / "files/real/a.txt", "a\n");
    for (const char* work : {"ls ~/files/real", "cd ~/files/real", "test -d ~/files/real"}) {
        const std::string file = in_project("learned.toml");
        BOOST_TEST(ctl({"learn", "-o", file, "--", "sh", "-c", work}).status != 0, work);
        const std::string text = read_file(file);
        BOOST_TEST(text.find("\n    \"~/files/real\",") != std::string::npos, text);
        const Result under = sandbox({"--profile", file, "--", "sh", "-c", work});
        BOOST_TEST(under.status == 0, under);
    }
}

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
    profile("mine", "extends = \"strict\"\n");
    profile("ours", "extends = \"mine\"\n");
    const std::string mine = in_home(".config/sandbox/profiles/mine.toml");
    for (const char* base : {"mine", "ours"}) { // by its name, and further up
        const Result circle = ctl({"learn", "--base", base, "-o", mine, "echo", "CMD RAN"});
        BOOST_TEST(circle.said("would extend itself"), circle);
        BOOST_TEST(!circle.printed("CMD RAN"), circle);
    }
    BOOST_TEST(read_file(mine) == "extends = \"strict\"\n");
}

BOOST_AUTO_TEST_CASE(what_is_learned_is_written_by_nobody_else) {
    const std::string before = read_file(home / ".gitconfig");
    const std::string evil =
        "cat ~/.gitconfig; for f in mine.toml mine.toml.*; do rm -f $f; ln -s ~/.gitconfig $f; done; "
        "mkdir other; mv mine.toml other; ln -s other/mine.toml mine.toml";
    const Result learned = ctl({"learn", "--base", "build", "-o", "mine.toml", "--", "sh", "-c", evil});
    const fs::path file = project / "mine.toml";
    BOOST_TEST(fs::is_regular_file(fs::symlink_status(file)), learned);
    BOOST_TEST(read_file(file).find("extends = \"build\"") != std::string::npos, read_file(file));
    BOOST_TEST(read_file(file).find("~/.gitconfig") != std::string::npos, learned);
    BOOST_TEST(read_file(home / ".gitconfig") == before);
    for (const char* no_file : {"/dev/full", "."}) {
        const Result refused = ctl({"learn", "-o", no_file, "--", "echo", "CMD RAN"});
        BOOST_TEST(refused.status == 125, refused);
        BOOST_TEST(refused.said("it is no regular file"), refused);
        BOOST_TEST(!refused.printed("CMD RAN"), refused);
    }
}

BOOST_AUTO_TEST_CASE(a_base_is_found_from_the_file_that_extends_it) {
    write(project / "profiles/base.toml", "extends = \"strict\"\n");
    const Words cat = {"--", "cat", in_home(".gitconfig")};
    Words first = {"learn", "--base", "profiles/base.toml", "-o", "profiles/learned.toml"};
    first.insert(first.end(), cat.begin(), cat.end());
    BOOST_TEST(ctl(first).said("wrote 'profiles/learned.toml'"));
    std::string text = read_file(project / "profiles/learned.toml");
    const std::string absolute = "extends = \"" + in_project("profiles/base.toml") + "\"";
    BOOST_REQUIRE_MESSAGE(text.find(absolute) != std::string::npos, text);
    // As a person may shorten it.
    text.replace(text.find(absolute), absolute.size(), "extends = \"base.toml\"");
    write(project / "profiles/learned.toml", text);
    Words second = {"learn", "--merge", "profiles/learned.toml"};
    second.insert(second.end(), cat.begin(), cat.end());
    const Result merged = ctl(second);
    BOOST_TEST(merged.printed(absolute), merged);
    BOOST_TEST(merged.printed("seen in 2 of 2 runs"), merged);
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

BOOST_AUTO_TEST_CASE(learn_says_how_many_names_no_profile_can_hold) {
    sh("printf x > \"$HOME/$(printf 'a\\377')\"");
    const Words command = {"sh", "-c", "cat ~/.gitconfig ~/\"$(printf 'a\\377')\""};
    const Result odd = ctl({"learn", "--base", "strict", "--", command[0], command[1], command[2]});
    BOOST_TEST(odd.said("note: 1 of the names that were refused, with bytes that are no UTF-8, is not in the"), odd);
    BOOST_TEST(odd.printed("\n    \"~/.gitconfig\""), odd);
    BOOST_TEST(!odd.printed("~/a"), odd);
    const Result plain = ctl({"learn", "--base", "strict", "--", "cat", in_home(".gitconfig")});
    BOOST_TEST(!plain.said("UTF-8"), plain);
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
    for (const auto& [odd, cause] :
         std::initializer_list<std::pair<const char*, const char*>>{{"fifo", "it is not a regular file"},
                                                                    {"/dev/zero", "it is not a regular file"},
                                                                    {".", "it is a directory"},
                                                                    {"large", "it is larger than 1 MiB"},
                                                                    {"none", "No such file or directory"}}) {
        sh("[ -p fifo ] || mkfifo fifo; truncate -s 2M large");
        const Result refused = ctl({"learn", "--merge", odd, "--", "echo", "CMD RAN"});
        BOOST_TEST(refused.status == 125, refused);
        BOOST_TEST(!refused.printed("CMD RAN"), refused);
        BOOST_TEST(refused.said("learn --merge: cannot read "), refused);
        BOOST_TEST(refused.said(cause), refused);
    }
    const Result nowhere = ctl({"learn", "-o", in_home("none/file"), "--", "echo", "CMD RAN"});
    BOOST_TEST(nowhere.status == 125, nowhere);
    BOOST_TEST(!nowhere.printed("CMD RAN"), nowhere);
    BOOST_TEST(nowhere.said("cannot write"), nowhere);
    const Result missing = ctl({"learn", "--base", "strict", "-o", in_project("x.toml"), "--", "no-such-program"});
    BOOST_TEST(missing.status == 127, missing);
    BOOST_TEST(sh("ls " + in_project("x.toml*")).out.empty());
    const Result late = ctl(
        {"learn", "--base", "build", "-o", in_project("y.toml"), "--", "sh", "-c", "cat ~/.gitconfig; mkdir y.toml"});
    BOOST_TEST(late.status == 125, late);
    BOOST_TEST(late.said("cannot write"), late);
    BOOST_TEST(late.printed("~/.gitconfig"), late);
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

namespace {

/// What a person runs in a home with secrets: it needs more than `strict` gives, is learned, and works.
struct Show : Learning {
    Show() {
        for (const char* secret : kSecrets) {
            write(home / secret, "PRIVATE KEY\n", 0600);
        }
    }

    static constexpr const char* kSecrets[] = {".ssh/id_rsa",
                                               ".aws/credentials",
                                               ".npmrc",
                                               ".netrc",
                                               ".git-credentials",
                                               ".gnupg/private-keys-v1.d/a.key",
                                               ".config/gh/hosts.yml"};
    const std::string file = in_project("../learned.toml");

    [[nodiscard]] Result under(const std::string& profile, const Words& command) const {
        Words words = {"--quiet", "--profile", profile, "--report", "never", "--"};
        words.insert(words.end(), command.begin(), command.end());
        return sandbox(words);
    }
    [[nodiscard]] Result learned(const Words& options, const Words& command) const {
        Words words = {"learn", "--base", "strict", "-o", file};
        words.insert(words.end(), options.begin(), options.end());
        words.emplace_back("--");
        words.insert(words.end(), command.begin(), command.end());
        return ctl(words);
    }
    /// It is short, no word of it names a secret, and none is read under it.
    void expect_a_narrow_profile() const {
        const std::string text = read_file(file);
        BOOST_TEST(std::ranges::count(text, '\n') <= 30, text);
        BOOST_TEST(ctl({"profile", "check", file}).status == 0, text);
        BOOST_TEST(text.find("\n    \"~\"") == std::string::npos, text);
        for (const char* secret : kSecrets) {
            BOOST_TEST(text.find(std::string("\n    \"~/") + secret) == std::string::npos, text);
            const Result attempt = under(file, {"cat", in_home(secret)});
            BOOST_TEST(!attempt.printed("PRIVATE KEY"), secret << text);
        }
    }
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(learn_show, Show)

BOOST_AUTO_TEST_CASE(git_status_in_a_repository) {
    NEEDS(installed("git"), "git is not installed");
    write(home / ".gitconfig",
          "[user]\n\tname = somebody\n\temail = somebody@example.org\n[core]\n\texcludesFile = ~/.ignored\n");
    write(home / ".ignored", "*.o\n");
    // A second working tree: the repository lies elsewhere.
    const Result made = sh("set -e; mkdir ~/repository; cd ~/repository; git init -q; echo one > a; git add a; "
                           "git commit -qm first; git worktree add -q ~/project/tree; cd ~/project/tree; "
                           "echo two >> a; touch new new.o");
    BOOST_REQUIRE_MESSAGE(made.status == 0, made);
    const Words command = {"git", "-C", "tree", "status", "--short"};
    const Result control = outside(command);
    BOOST_TEST(control.out == " M a\n?? new\n", control);
    BOOST_TEST(under("strict", command).said("fatal: not a git repository"));
    const Result learning = learned({"--permissive", "--yes"}, command);
    BOOST_TEST(learning.out == control.out, learning);
    expect_a_narrow_profile();
    const Result works = under(file, command);
    BOOST_TEST(works.status == 0, works << read_file(file));
    BOOST_TEST(works.out == control.out, works << read_file(file));
}

BOOST_AUTO_TEST_CASE(make_of_a_real_tree) {
    NEEDS(installed("make") && installed("gcc"), "make or gcc is not installed");
    const char* source = std::getenv("SANDBOX_TEST_SOURCE");
    BOOST_REQUIRE(source != nullptr);
    for (const char* name : {"attempt.c", "refused.c", "syscall.c", "answer.h"}) {
        write(project / "src" / name, read_file(fs::path(source) / "tests/run/probes" / name));
    }
    write(project / "Makefile", "PROGRAMS := build/attempt build/refused build/syscall\n"
                                "all: $(PROGRAMS)\n"
                                "\tbuild/refused loop 0 0 > build/checked\n"
                                "build/%: build/%.o\n"
                                "\tgcc -pthread -o $@ $^\n"
                                "build/%.o: src/%.c | build\n"
                                "\tgcc -D_GNU_SOURCE -pthread -MMD -c -o $@ $<\n"
                                "build:\n"
                                "\tmkdir $@\n");
    const auto built = [&] { return fs::exists(project / "build/checked"); };
    const Words command = {"make", "-j2"};
    BOOST_TEST(under("strict", command).status == 2);
    BOOST_TEST(!built());
    const Result learning = learned({}, command);
    BOOST_TEST(learning.status == 2, learning);
    BOOST_TEST(!built());
    expect_a_narrow_profile();
    const Result works = under(file, command);
    BOOST_TEST(works.status == 0, works << read_file(file));
    BOOST_TEST(built());
}

BOOST_AUTO_TEST_CASE(a_python_program_with_its_data_files) {
    NEEDS(installed("python3"), "python3 is not installed");
    write(home / "lib/tools/__init__.py",
          "def load(path):\n    with open(path) as file:\n        return file.read()\n");
    write(home / ".config/prog/settings.ini", "[run]\nscale = 2\n");
    for (const char* name : {"1", "2", "3", "4", "5", "6"}) {
        write(home / "corpus" / name, std::string(name) + ",1\n");
    }
    write(project / "prog.py", "import concurrent.futures, configparser, csv, os, sqlite3, sys\n"
                               "home = os.path.expanduser('~')\n"
                               "sys.path.insert(0, home + '/lib')\n"
                               "import tools\n"
                               "settings = configparser.ConfigParser()\n"
                               "settings.read_string(tools.load(home + '/.config/prog/settings.ini'))\n"
                               "total = 0\n"
                               "for name in sorted(os.listdir(home + '/corpus')):\n"
                               "    with open(home + '/corpus/' + name) as file:\n"
                               "        total += sum(int(row[0]) for row in csv.reader(file))\n"
                               "with concurrent.futures.ThreadPoolExecutor(2) as pool:\n"
                               "    total = sum(pool.map(lambda part: part * int(settings['run']['scale']), [total]))\n"
                               "with sqlite3.connect('result.db') as db:\n"
                               "    db.execute('create table if not exists totals(total)')\n"
                               "    db.execute('insert into totals values(?)', (total,))\n"
                               "print('total', total)\n");
    const Words command = {"python3", "prog.py"};
    BOOST_TEST(under("strict", command).said("ModuleNotFoundError"));
    const Result learning = learned({"--permissive", "--yes"}, command);
    BOOST_TEST(learning.printed("total 42\n"), learning);
    expect_a_narrow_profile();
    const Result works = under(file, command);
    BOOST_TEST(works.status == 0, works << read_file(file));
    BOOST_TEST(works.out == "total 42\n", works);
}

BOOST_AUTO_TEST_CASE(npm_ci) {
    NEEDS(installed("npm"), "npm is not installed");
    const Result packed = sh("set -e; mkdir -p ~/registry/package; cd ~/registry; "
                             "echo '{\"name\": \"dep\", \"version\": \"1.0.0\"}' > package/package.json; "
                             "echo 'module.exports = 42' > package/index.js; tar czf dep-1.0.0.tgz package");
    BOOST_REQUIRE_MESSAGE(packed.status == 0, packed);
    write(project / "package.json", R"({"name": "app", "version": "1.0.0",
        "dependencies": {"dep": "file:../registry/dep-1.0.0.tgz"}})");
    write(project / "package-lock.json", R"({"name": "app", "version": "1.0.0", "lockfileVersion": 2, "requires": true,
        "packages": {"": {"name": "app", "version": "1.0.0", "dependencies": {"dep": "file:../registry/dep-1.0.0.tgz"}},
            "node_modules/dep": {"version": "1.0.0", "resolved": "file:../registry/dep-1.0.0.tgz"}},
        "dependencies": {"dep": {"version": "file:../registry/dep-1.0.0.tgz"}}})");
    const auto is_there = [&] { return fs::exists(project / "node_modules/dep/index.js"); };
    const Words command = {"npm", "ci", "--offline", "--no-audit", "--no-fund"};
    BOOST_TEST(under("strict", command).status != 0);
    BOOST_TEST(!is_there());
    const Result learning = learned({"--permissive", "--yes"}, command);
    BOOST_TEST(learning.status == 0, learning);
    BOOST_TEST(is_there());
    expect_a_narrow_profile();
    fs::remove_all(project / "node_modules");
    const Result works = under(file, command);
    BOOST_TEST(works.status == 0, works << read_file(file));
    BOOST_TEST(is_there());
}

BOOST_AUTO_TEST_CASE(a_node_server_that_answers_a_client) {
    NEEDS(installed("node"), "node is not installed");
    write(home / "site/index.html", "<h1>hello</h1>\n");
    write(project / "server.js",
          "const fs = require('fs'), http = require('http'), os = require('os');\n"
          "const page = fs.readFileSync(os.homedir() + '/site/index.html');\n"
          "const log = fs.createWriteStream('access.log', {flags: 'a'});\n"
          "const server = http.createServer((request, answer) => {\n"
          "    log.write(request.url + '\\n');\n"
          "    answer.end(page);\n"
          "}).listen(0, '127.0.0.1', () => {\n"
          "    http.get({host: '127.0.0.1', port: server.address().port, path: '/x', agent: false}, answer => {\n"
          "        answer.pipe(process.stdout);\n"
          "        answer.on('end', () => { server.close(); log.end(); });\n"
          "    });\n"
          "});\n");
    const Words command = {"node", "server.js"};
    BOOST_TEST(under("strict", command).said("no such file or directory"));
    // Nothing goes on past a refusal, so the second run starts where the first one stopped.
    BOOST_TEST(learned({}, command).status != 0);
    const std::string first = in_home("first.toml");
    fs::rename(file, first);
    const Result second = ctl({"learn", "--base", first, "-o", file, "--", "node", "server.js"});
    BOOST_TEST(second.status != 0, second);
    expect_a_narrow_profile();
    const Result works = under(file, command);
    BOOST_TEST(works.status == 0, works << read_file(file));
    BOOST_TEST(works.out == "<h1>hello</h1>\n", works);
    BOOST_TEST(read_file(project / "access.log") == "/x\n");
}

BOOST_AUTO_TEST_SUITE_END()
