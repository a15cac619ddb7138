// --explain and sandboxctl learn: the files that the profile kept from CMD are told, what would show them does, and
// watching changes nothing.
#include <sys/syscall.h>

#include <boost/test/unit_test.hpp>
#include <csignal>
#include <map>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>

#include "tests/support/count.hpp"
#include "tests/support/world.hpp"

using namespace sandbox::test;

namespace fs = std::filesystem;
using nlohmann::json;

namespace {

struct Explained {
    Result result;
    json report;

    /// The refusal of a file by its path inside; null where there is none.
    [[nodiscard]] json of(const std::string& path) const {
        for (const json& refusal : report.at("refusals")) {
            if (refusal.at("object") == path) {
                return refusal;
            }
        }
        return nullptr;
    }
};

struct Explaining : World {
    Explaining() {
        write(home / ".gitconfig", "[user]\n\tname = somebody\n");
        write(home / "data/one.txt", "one\n");
        write(home / "data/two.txt", "two\n");
        write(home / "tools/hello", "#!/bin/sh\necho hello\n", 0755);
        write(home / ".ssh/id_rsa", "PRIVATE KEY\n", 0600);
        write(project / "mine.txt", "mine\n");
    }

    [[nodiscard]] Explained explained(const Words& options, const Words& command) const {
        const std::string report = (home / "report.json").string();
        Words words = {"--explain", "--report-json", report, "--report", "always", "--net", "none"};
        words.insert(words.end(), options.begin(), options.end());
        words.emplace_back("--");
        words.insert(words.end(), command.begin(), command.end());
        Explained seen{.result = sandbox(words), .report = {}};
        seen.report = json::parse(read_file(report));
        return seen;
    }
    [[nodiscard]] Explained script(const std::string& text, const std::string& profile = "strict") const {
        return explained({"--profile", profile}, {"sh", "-c", text});
    }
    [[nodiscard]] std::string in_home(const char* name) const { return (home / name).string(); }
    [[nodiscard]] std::string in_project(const char* name) const { return (project / name).string(); }
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(explain, Explaining)

BOOST_AUTO_TEST_CASE(a_socket_that_the_profile_hides_is_told_and_no_grant_opens_it) {
    const std::string path = (home / "agent").string();
    const std::string listen = "import socket,sys; s=socket.socket(socket.AF_UNIX); s.bind(sys.argv[1]); s.listen(); "
                               "print('up', flush=True); sys.stdin.read()";
    Process agent({"/usr/bin/python3", "-c", listen, path}, here());
    BOOST_REQUIRE(agent.wait_for("up\n"));
    const auto connect = [&](const std::string& name) {
        return explained({"--ro", probe_directory()}, {probe("connect"), "path", name});
    };
    const Explained seen = connect(path);
    BOOST_TEST(seen.result.printed("ENOENT"), seen.result);
    BOOST_TEST(seen.of(path).at("intent") == "look", seen.report.dump(1));
    BOOST_TEST(seen.of(path).at("advice").get<std::string>().starts_with("it is a socket"), seen.report.dump(1));
    BOOST_TEST(connect((home / "nothing").string()).report.at("refusals").empty()); // the control: nothing is there
    const Explained bound =
        script("python3 -c 'import socket; socket.socket(socket.AF_UNIX).bind(\"" + path + "2\")'", "default");
    BOOST_TEST(bound.of(path + "2").at("intent") == "create", bound.report.dump(1));
    agent.close_input();
    BOOST_TEST(agent.finish().status == 0);
}

BOOST_AUTO_TEST_CASE(each_refused_file_is_told_with_its_use_its_program_and_the_line_that_refused_it) {
    const Explained seen = script(
        "cat ~/.gitconfig ~/.gitconfig; cat ~/data/one.txt; echo x > new.txt; rm mine.txt; "
        "~/tools/hello; python3 -c 'import os; os.listdir(os.path.expanduser(\"~/data\"))'; echo y > ~/lost.txt");
    const auto expect = [&](const std::string& path, const char* kind, const char* intent, const char* program,
                            const char* profile) {
        const json refusal = seen.of(path);
        BOOST_REQUIRE_MESSAGE(!refusal.is_null(), path << seen.report.dump(1));
        BOOST_TEST(refusal.at("kind") == kind, path);
        BOOST_TEST(refusal.at("intent") == intent, path);
        BOOST_TEST(refusal.at("programs") == json::array({program}), path);
        const auto source = refusal.at("origin").at("source").get<std::string>();
        BOOST_TEST(source.ends_with(profile), path << source);
        BOOST_TEST(refusal.at("origin").at("line") > 0, path);
    };
    expect(in_home(".gitconfig"), "file", "read", "cat", "/default.toml");
    BOOST_TEST(seen.of(in_home(".gitconfig")).at("count") == 2);
    expect(in_home("data/one.txt"), "file", "read", "cat", "/default.toml");
    expect(in_home("data"), "file", "list", "python3", "/default.toml");
    expect(in_home("tools/hello"), "file", "execute", "sh", "/default.toml");
    expect(in_project("new.txt"), "file", "create", "sh", "/strict.toml");
    expect(in_project("mine.txt"), "file", "create", "rm", "/strict.toml");
    expect(in_home("lost.txt"), "lost", "create", "sh", "/default.toml");
    BOOST_TEST(seen.result.said("file " + in_home(".gitconfig") + ", read, 2 times, by cat: "), seen.result);
    // What the host has not, what is granted, and what the kernel refuses by itself say nothing.
    const Explained nothing = script("cat ~/no-such-file /etc/hostname mine.txt; cat /etc/shadow");
    for (const char* path : {"/etc/hostname", "/etc/shadow"}) {
        BOOST_TEST(nothing.of(path).is_null(), path << nothing.report.dump(1));
    }
    BOOST_TEST(nothing.of(in_home("no-such-file")).is_null());
    BOOST_TEST(nothing.of(in_project("mine.txt")).is_null());
}

BOOST_AUTO_TEST_CASE(watching_loosens_nothing_and_breaks_nothing) {
    const std::string attack = "cat ~/.ssh/id_rsa; echo x > new.txt; echo $?; cat mine.txt; '" + probe("refused") +
                               "' grandchild " + std::to_string(SYS_ptrace) + " " + std::to_string(SYS_socket) +
                               ":40; true & wait $!; sh -c 'exit 3'; echo $?; nosuch; echo $?";
    for (const char* profile : {"strict", "default", "permissive"}) {
        const Result plain = sandbox({"--profile", profile, "--net", "none", "--report", "never", "--ro",
                                      probe_directory(), "--", "sh", "-c", attack});
        const Explained watched = explained({"--profile", profile, "--ro", probe_directory()}, {"sh", "-c", attack});
        BOOST_TEST(plain.out == watched.result.out, profile << plain << watched.result);
        BOOST_TEST(plain.status == watched.result.status, profile);
        BOOST_TEST(watched.result.printed("PRIVATE KEY") == (std::string(profile) == "permissive"), watched.result);
        fs::remove(project / "new.txt");
    }
}

BOOST_AUTO_TEST_CASE(a_start_that_fails_is_told_as_ever) {
    const auto fails = [&](const Words& command) {
        Words words = {"--explain", "--profile", "strict", "--"};
        words.insert(words.end(), command.begin(), command.end());
        const Result result = sandbox(words);
        BOOST_TEST(!result.hung);
        return result.status;
    };
    BOOST_TEST(fails({"no-such-program"}) == 127);
    BOOST_TEST(fails({"/no/such/program"}) == 127);
    BOOST_TEST(fails({"/etc/hostname"}) == 126);
    BOOST_TEST(fails({"sh", "-c", "exit 5"}) == 5);
    BOOST_TEST(fails({"sh", "-c", "kill -KILL $$"}) == 128 + SIGKILL);
}

BOOST_AUTO_TEST_CASE(names_are_followed_from_where_they_start_and_senseless_ones_harm_nobody) {
    const Explained seen =
        script("cd /; cat ." + in_home("data/one.txt") + "; cd /usr/../usr/bin; cat ../.." + in_home("data/two.txt"));
    BOOST_TEST(!seen.of(in_home("data/one.txt")).is_null(), seen.report.dump(1));
    BOOST_TEST(!seen.of(in_home("data/two.txt")).is_null(), seen.report.dump(1));
    // Addresses that are none, an empty name, a name without end, a number that is no descriptor.
    const Explained wild = explained({"--profile", "strict", "--ro", probe_directory()},
                                     {probe("syscall"), std::to_string(SYS_openat), "-100", "-1", "0"});
    BOOST_TEST(wild.result.printed(": EFAULT"), wild.result);
    const Explained empty = explained({"--profile", "strict", "--ro", probe_directory()},
                                      {probe("syscall"), std::to_string(SYS_openat), "-100", "text:", "0"});
    BOOST_TEST(empty.result.printed(": ENOENT"), empty.result);
    const Explained lost = explained({"--profile", "strict", "--ro", probe_directory()},
                                     {probe("syscall"), std::to_string(SYS_openat), "777", "text:name", "0"});
    BOOST_TEST(lost.result.printed(": EBADF"), lost.result);
    const Explained longest =
        explained({"--profile", "strict", "--ro", probe_directory()},
                  {probe("syscall"), std::to_string(SYS_openat), "-100", "text:" + std::string(5000, 'x'), "0"});
    BOOST_TEST(longest.result.printed(": ENAMETOOLONG"), longest.result);
}

BOOST_AUTO_TEST_CASE(a_name_of_cmds_making_cannot_write_a_line_of_the_report) {
    write(home / "data/a\n  file \x1b[31m", "x");
    const Explained seen = script("cat ~/data/a*; cat \"$HOME/data/a\n  file \x1b[31m\"");
    BOOST_TEST(seen.result.said(R"(/data/a\n  file \x1b[31m, read)"), seen.result);
    const std::size_t report = seen.result.err.find("sandbox: refused");
    BOOST_TEST(seen.result.err.find('\x1b', report) == std::string::npos, seen.result);
}

BOOST_AUTO_TEST_CASE(the_grant_of_a_refused_file_makes_the_same_command_succeed) {
    struct Pair {
        const char* profile;
        const char* script;
    };
    constexpr Pair kPairs[] = {
        {"strict", "cat ~/.gitconfig"},
        {"default", "cat ~/.gitconfig"},
        {"build", "cat ~/.gitconfig"},
        {"strict", "cat ~/data/one.txt"},
        {"default", "cat ~/data/two.txt"},
        {"strict", "~/tools/hello"},
        {"default", "~/tools/hello"},
        {"strict", "echo x > new.txt"},
        {"strict", "echo x >> mine.txt"},
        {"strict", "rm mine.txt"},
        {"strict", "mkdir made"},
        {"strict", "mv mine.txt other"},
        {"strict", "ln -s a b"},
        {"strict", "touch mine.txt"},
        {"strict", "chmod 600 mine.txt"},
        {"strict", "test -e ~/.gitconfig"},
        {"default", "grep one ~/data/one.txt"},
        {"build", "head -c1 ~/data/two.txt"},
        {"strict", "wc -l < ~/data/one.txt"},
        {"strict", "truncate -s 1 mine.txt"},
        {"strict", "cp mine.txt copy.txt"},
        {"default", "stat ~/data/one.txt"},
        {"strict", "python3 -c \"open('mine.txt', 'r+').write('x')\""},
        {"strict", "python3 -c \"import os; print(open(os.path.expanduser('~/data/one.txt')).read())\""},
        {"strict", "tar cf made.tar mine.txt"},
        {"strict", "python3 -c \"import os; os.listdir(os.path.expanduser('~/data'))\""},
        {"default", "diff ~/data/one.txt ~/data/one.txt"},
    };
    for (const Pair& pair : kPairs) {
        BOOST_TEST_CONTEXT(pair.profile << ": " << pair.script) {
            const auto again = [&] {
                for (const char* made : {"new.txt", "made", "other", "b", "copy.txt", "made.tar"}) {
                    fs::remove_all(project / made);
                }
                write(project / "mine.txt", "mine\n");
            };
            again();
            const Explained first = script(pair.script, pair.profile);
            BOOST_TEST(first.result.status != 0, first.result);
            Words options = {"--profile", pair.profile};
            std::map<std::string, std::string> lists;
            for (const json& refusal : first.report.at("refusals")) {
                if (refusal.at("grant").is_object()) {
                    std::istringstream words(refusal.at("grant").at("option").get<std::string>());
                    for (std::string word; words >> word;) {
                        options.push_back(word.starts_with("~") ? home.string() + word.substr(1) : word);
                    }
                    const auto line = refusal.at("grant").at("profile").get<std::string>();
                    lists[line.substr(0, line.find(" = "))] = line;
                }
            }
            BOOST_REQUIRE_MESSAGE(!lists.empty(), first.report.dump(1));
            const Explained by_option = explained(options, {"sh", "-c", pair.script});
            BOOST_TEST(by_option.result.status == 0, by_option.result);

            again();
            std::string text;
            for (const auto& [key, line] : lists) {
                text += line + "\n";
            }
            profile("granted", text + "extends = \"" + pair.profile + "\"\n");
            const Explained by_profile = script(pair.script, "granted");
            BOOST_TEST(by_profile.result.status == 0, by_profile.result);
        }
    }
}

BOOST_AUTO_TEST_CASE(many_files_many_threads_and_an_alarm_are_watched_without_a_hang) {
    const Explained seen = script("for i in $(seq 200); do cat ~/data/one.txt & done 2>/dev/null; wait; "
                                  "find /usr/share/doc -name x | wc -l");
    BOOST_TEST(seen.result.status == 0, seen.result);
    BOOST_TEST(seen.of(in_home("data/one.txt")).at("count") == 200, seen.report.dump(1));
    const Explained alarmed = explained({"--profile", "strict", "--ro", probe_directory()},
                                        {probe("refused"), "alarm", std::to_string(SYS_ptrace)});
    BOOST_TEST(alarmed.result.out == std::to_string(SYS_ptrace) + ": EPERM\n", alarmed.result);
}

BOOST_AUTO_TEST_CASE(a_thread_that_changes_a_name_while_it_is_looked_at_gets_no_other_file) {
    const std::string granted = write(home / "data/1", "granted");
    const std::string hidden = write(home / "data/2", "hidden");
    const Words race = {probe("race"), "open", std::to_string(rounds(20'000)), granted, hidden};
    const Explained seen = explained({"--profile", "strict", "--ro", probe_directory(), "--ro", granted}, race);
    BOOST_TEST(seen.result.printed("read g\n"), seen.result);
    BOOST_TEST(!seen.result.printed("read h\n"), seen.result);
    BOOST_TEST(!seen.result.printed("failed 0\n"), seen.result);
    const json refusal = seen.of(hidden);
    BOOST_REQUIRE_MESSAGE(!refusal.is_null(), seen.report.dump(1));
    const long opened = std::stol(seen.result.out.substr(std::string_view("opened ").size()));
    BOOST_TEST(refusal.at("count") <= opened);
    BOOST_TEST(seen.report.at("refusals").size() == 1U, seen.report.dump(1));
    const Result control = outside(race);
    BOOST_TEST(control.printed("failed 0\nread g\nread h\n"), control);
}

BOOST_AUTO_TEST_CASE(names_without_end_are_bounded_and_counted_and_cost_no_memory) {
    const int names = rounds(30'000);
    const std::string report = (home / "report.json").string();
    const Result result = outside({probe("peak"), in_home("peak"), sandbox_program(), "--profile", "strict",
                                   "--explain", "--report-json", report, "--net", "none", "--", "python3", "-c",
                                   "import os\nfor i in range(" + std::to_string(names) +
                                       "): open(os.path.expanduser('~/') + 'n' * 150 + str(i), 'w').close()"});
    BOOST_TEST(result.status == 0, result);
    const json seen = json::parse(read_file(report));
    BOOST_TEST(seen.at("refusals").size() > 100U);
    BOOST_TEST(seen.at("refusals").size() <= 2000U);
    BOOST_TEST(seen.at("refusals").size() + seen.at("unlisted").get<std::size_t>() >= static_cast<std::size_t>(names));
    const long peak = std::stol(read_file(home / "peak"));
    BOOST_TEST((peak < 20L * 1024 || is_sanitized()), peak << " KiB");
}

BOOST_AUTO_TEST_CASE(what_a_private_place_takes_is_lost_and_was_not_refused) {
    write(home / "plain.txt", "host\n");
    const Explained seen = script("echo x > ~/plain.txt; cat ~/plain.txt; echo evil >> ~/.bashrc");
    BOOST_TEST(seen.result.out == "x\n", seen.result);
    BOOST_TEST(read_file(home / "plain.txt") == "host\n");
    const json refusal = seen.of(in_home("plain.txt"));
    BOOST_REQUIRE_MESSAGE(!refusal.is_null(), seen.report.dump(1));
    BOOST_TEST(refusal.at("kind") == "lost");
    write(home / ".bashrc", "# mine\n");
    const Result learned = ctl({"learn", "--", "sh", "-c", "echo evil >> ~/.bashrc; echo 1 <> ~/.bashrc"});
    BOOST_TEST(learned.status == 0, learned);
    BOOST_TEST(!learned.printed("\n    \"~/.bashrc\""), learned);
}

BOOST_AUTO_TEST_CASE(under_an_outer_listener_it_says_that_it_knows_of_no_file) {
    profile("inner", "extends = \"strict\"\n[ids]\nmap = \"self\"\ngroups = \"keep\"\n");
    const std::string report = (home / "report.json").string();
    for (int i = 0; i < rounds(20); ++i) {
        const Result result = outside({probe("refused"), "outer", sandbox_program(), "--profile", "inner", "--explain",
                                       "--report-json", report, "--report", "always", "--", "true"});
        BOOST_TEST(result.said("and which files were asked for, is not known"), result);
        BOOST_TEST(json::parse(read_file(report)).at("blind").size() == 2U, result);
    }
}

BOOST_AUTO_TEST_CASE(a_name_that_takes_for_ever_to_look_up_does_not_keep_the_end_back) {
    // Links through links, in a directory of CMD's: each name costs the one who looks it up thousands of steps.
    const std::string chain = "import os\n"
                              "step = '/'.join(['.'] * 1900)\n"
                              "for i in range(38): os.symlink('l%d/' % (i + 1) + step if i < 37 else step, 'l%d' % i)\n"
                              "for i in range(" +
                              std::to_string(rounds(3000)) +
                              "):\n"
                              "    try: os.stat('l0/../' + str(i))\n"
                              "    except OSError: pass\n";
    const Explained seen = explained({"--profile", "default"}, {"python3", "-c", chain});
    BOOST_TEST(!seen.result.hung);
    BOOST_TEST(seen.result.status == 0, seen.result);
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

BOOST_AUTO_TEST_SUITE_END()
