// --explain: the files that the profile kept from CMD are told, what would show them does, and watching changes
// nothing.
#include <sys/syscall.h>

#include <boost/test/unit_test.hpp>
#include <csignal>
#include <map>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/count.hpp"
#include "tests/support/report_world.hpp"

using namespace sandbox::test;

namespace fs = std::filesystem;
using nlohmann::json;

namespace {

struct Explaining : ReportWorld {
    Explaining() {
        write(home / ".gitconfig", "[user]\n\tname = somebody\n");
        write(home / "data/one.txt", "one\n");
        write(home / "data/two.txt", "two\n");
        write(home / "tools/hello", "#!/bin/sh\necho hello\n", 0755);
        write(home / ".ssh/id_rsa", "PRIVATE KEY\n", 0600);
        write(project / "mine.txt", "mine\n");
    }

    [[nodiscard]] Reported explained(Words options, const Words& command) const {
        options.insert(options.begin(), {"--explain", "--report", "always", "--net", "none"});
        return reported(options, command);
    }
    [[nodiscard]] Reported script(const std::string& text, const std::string& profile = "strict") const {
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
    const Reported seen = connect(path);
    BOOST_TEST(seen.result.printed("ENOENT"), seen.result);
    BOOST_TEST(seen.of(path).at("intent") == "look", seen.report.dump(1));
    BOOST_TEST(seen.of(path).at("advice").get<std::string>().starts_with("it is a socket"), seen.report.dump(1));
    BOOST_TEST(connect((home / "nothing").string()).report.at("refusals").empty()); // the control: nothing is there
    const Reported bound =
        script("python3 -c 'import socket; socket.socket(socket.AF_UNIX).bind(\"" + path + "2\")'", "default");
    BOOST_TEST(bound.of(path + "2").at("intent") == "create", bound.report.dump(1));
    agent.close_input();
    BOOST_TEST(agent.finish().status == 0);
}

BOOST_AUTO_TEST_CASE(names_that_may_not_be_looked_at_are_counted) {
    NEEDS(started_by_root(), "only root can make a program that its user may not read");
    Options as_root;
    as_root.as = &root_user();
    const auto seen = [&](const char* mode) {
        run({"install", "-m", mode, "/bin/ls", in_project("mine")}, as_root);
        return script("./mine ~/data", "build");
    };
    const Reported unreadable = seen("711"); // and root's, so that nobody here may look into it
    BOOST_TEST(unreadable.report.at("unlisted") > 0, unreadable.result);
    const Reported control = seen("755");
    BOOST_TEST(control.report.at("unlisted") == 0, control.result);
    BOOST_TEST(!control.of(in_home("data")).is_null(), control.result);
}

BOOST_AUTO_TEST_CASE(each_refused_file_is_told_with_its_use_its_program_and_the_line_that_refused_it) {
    const Reported seen = script(
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
    const Reported nothing = script("cat ~/no-such-file /etc/hostname mine.txt; cat /etc/shadow");
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
        const Reported watched = explained({"--profile", profile, "--ro", probe_directory()}, {"sh", "-c", attack});
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
    const Reported seen =
        script("cd /; cat ." + in_home("data/one.txt") + "; cd /usr/../usr/bin; cat ../.." + in_home("data/two.txt"));
    BOOST_TEST(!seen.of(in_home("data/one.txt")).is_null(), seen.report.dump(1));
    BOOST_TEST(!seen.of(in_home("data/two.txt")).is_null(), seen.report.dump(1));
    // Addresses that are none, an empty name, a name without end, a number that is no descriptor.
    const Reported wild = explained({"--profile", "strict", "--ro", probe_directory()},
                                    {probe("syscall"), std::to_string(SYS_openat), "-100", "-1", "0"});
    BOOST_TEST(wild.result.printed(": EFAULT"), wild.result);
    const Reported empty = explained({"--profile", "strict", "--ro", probe_directory()},
                                     {probe("syscall"), std::to_string(SYS_openat), "-100", "text:", "0"});
    BOOST_TEST(empty.result.printed(": ENOENT"), empty.result);
    const Reported lost = explained({"--profile", "strict", "--ro", probe_directory()},
                                    {probe("syscall"), std::to_string(SYS_openat), "777", "text:name", "0"});
    BOOST_TEST(lost.result.printed(": EBADF"), lost.result);
    const Reported longest =
        explained({"--profile", "strict", "--ro", probe_directory()},
                  {probe("syscall"), std::to_string(SYS_openat), "-100", "text:" + std::string(5000, 'x'), "0"});
    BOOST_TEST(longest.result.printed(": ENAMETOOLONG"), longest.result);
}

BOOST_AUTO_TEST_CASE(a_name_of_cmds_making_cannot_write_a_line_of_the_report) {
    write(home / "data/a\n  file \x1b[31m", "x");
    const Reported seen = script("cat ~/data/a*; cat \"$HOME/data/a\n  file \x1b[31m\"");
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
            const Reported first = script(pair.script, pair.profile);
            BOOST_TEST(first.result.status != 0, first.result);
            Words options = {"--profile", pair.profile};
            std::vector<std::string> lines;
            for (const json& refusal : first.report.at("refusals")) {
                if (refusal.at("grant").is_object()) {
                    std::istringstream words(refusal.at("grant").at("option").get<std::string>());
                    for (std::string word; words >> word;) {
                        options.push_back(word.starts_with("~") ? home.string() + word.substr(1) : word);
                    }
                    lines.push_back(refusal.at("grant").at("profile"));
                }
            }
            BOOST_REQUIRE_MESSAGE(!lines.empty(), first.report.dump(1));
            const Reported by_option = explained(options, {"sh", "-c", pair.script});
            BOOST_TEST(by_option.result.status == 0, by_option.result);

            again();
            std::string granted = pair.profile; // a profile a line: two may be of one list
            for (const std::string& line : lines) {
                const std::string base = std::exchange(granted, "granted-" + std::to_string(&line - lines.data()));
                profile(granted, line + "\nextends = \"" + base + "\"\n");
            }
            const Reported by_profile = script(pair.script, granted);
            BOOST_TEST(by_profile.result.status == 0, by_profile.result);
        }
    }
}

BOOST_AUTO_TEST_CASE(many_files_many_threads_and_an_alarm_are_watched_without_a_hang) {
    const Reported seen = script("for i in $(seq 200); do cat ~/data/one.txt & done 2>/dev/null; wait; "
                                 "find /usr/share/doc -name x | wc -l");
    BOOST_TEST(seen.result.status == 0, seen.result);
    BOOST_TEST(seen.of(in_home("data/one.txt")).at("count") == 200, seen.report.dump(1));
    const Reported alarmed = explained({"--profile", "strict", "--ro", probe_directory()},
                                       {probe("refused"), "alarm", std::to_string(SYS_ptrace)});
    BOOST_TEST(alarmed.result.out == std::to_string(SYS_ptrace) + ": EPERM\n", alarmed.result);
}

BOOST_AUTO_TEST_CASE(a_thread_that_changes_a_name_while_it_is_looked_at_gets_no_other_file) {
    const std::string granted = write(home / "data/1", "granted");
    const std::string hidden = write(home / "data/2", "hidden");
    const Words race = {probe("race"), "open", std::to_string(rounds(20'000)), granted, hidden};
    const Reported seen = explained({"--profile", "strict", "--ro", probe_directory(), "--ro", granted}, race);
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
    const Reported seen = script("echo x > ~/plain.txt; cat ~/plain.txt; echo evil >> ~/.bashrc");
    BOOST_TEST(seen.result.out == "x\n", seen.result);
    BOOST_TEST(read_file(home / "plain.txt") == "host\n");
    const json refusal = seen.of(in_home("plain.txt"));
    BOOST_REQUIRE_MESSAGE(!refusal.is_null(), seen.report.dump(1));
    BOOST_TEST(refusal.at("kind") == "lost");
}

BOOST_AUTO_TEST_CASE(what_could_not_be_made_or_removed_in_a_private_place_was_refused) {
    write(home / "out/old.txt", "host\n");
    write(home / "made/dir/old.txt", "host\n");
    write(home / "old.txt", "host\n");
    const Reported seen = script("touch ~/out/new.txt; echo x >> ~/out/old.txt; rm ~/old.txt; "
                                 "mkdir -p ~/made/dir; touch ~/made/dir/new.txt ~/own.txt; mv ~/own.txt ~/moved.txt");
    const auto expect = [&](const char* name, const char* kind, const char* intent) {
        const json refusal = seen.of(in_home(name));
        BOOST_REQUIRE_MESSAGE(!refusal.is_null(), name << seen.report.dump(1));
        BOOST_TEST(refusal.at("kind") == kind, name);
        BOOST_TEST(refusal.at("intent") == intent, name);
    };
    expect("out/new.txt", "file", "create");
    expect("out/old.txt", "file", "write");
    expect("old.txt", "file", "create");
    BOOST_TEST(seen.result.said("--rw ~/out,"), seen.result);
    // The control: CMD made the directory itself.
    expect("made/dir/new.txt", "lost", "create");
    expect("moved.txt", "lost", "create");
}

BOOST_AUTO_TEST_CASE(what_was_read_before_it_was_written_was_refused_and_lost) {
    const Reported seen = script("cat ~/.gitconfig; echo x > ~/.gitconfig.new; mv ~/.gitconfig.new ~/.gitconfig; "
                                 "cat ~/.gitconfig",
                                 "default");
    BOOST_TEST(seen.result.out == "x\n", seen.result);
    BOOST_TEST(seen.of(in_home(".gitconfig")).at("kind") == "file", seen.report.dump(1));
    BOOST_TEST(seen.result.said("  lost file " + in_home(".gitconfig") + ", create, once"), seen.result);
}

BOOST_AUTO_TEST_CASE(a_name_that_cmd_tried_to_make_hides_no_refusal) {
    write(project / ".env", "SECRET\n");
    for (const char* attempt : {"", "mkdir .env; "}) { // the first is the control
        const Reported seen = explained({"--hide", ".env"}, {"sh", "-c", std::string(attempt) + "cat .env"});
        BOOST_TEST(seen.of(in_project(".env")).at("intent") == "read", seen.report.dump(1));
    }
    // One that it could make stands in the place of the host's, and is its own from there on.
    const Reported made = script("mkdir -p ~/data; cat ~/data/one.txt; echo x > ~/data/one.txt; cat ~/data/one.txt");
    BOOST_TEST(!made.of(in_home("data/one.txt")).is_null(), made.report.dump(1));
    const Reported own = script("echo mine > ~/.gitconfig; cat ~/.gitconfig");
    BOOST_TEST(own.of(in_home(".gitconfig")).at("kind") == "lost", own.report.dump(1));
    const Reported empty = script("mkdir ~/data && ls ~/data");
    BOOST_TEST(empty.of(in_home("data")).at("kind") == "file", empty.report.dump(1));
}

BOOST_AUTO_TEST_CASE(a_flood_of_long_names_hides_no_short_one) {
    write(home / "zz", "victim\n");
    sh("mkdir ~/flood && cd ~/flood && seq -f a%.0f 2500 | xargs touch");
    const Reported seen = script("cat ~/zz; for i in $(seq 2500); do test -e ~/flood/a$i; done");
    BOOST_TEST(seen.report.at("unlisted") > 0);
    BOOST_TEST(!seen.of(in_home("zz")).is_null());
}

BOOST_AUTO_TEST_CASE(under_an_outer_listener_it_says_that_it_knows_of_no_file) {
    profile("inner", "extends = \"strict\"\n[ids]\nmap = \"self\"\ngroups = \"keep\"\n");
    for (int i = 0; i < rounds(20); ++i) {
        const Reported seen =
            read(outside({probe("refused"), "outer", sandbox_program(), "--profile", "inner", "--explain",
                          "--report-json", report_file(), "--report", "always", "--", "true"}));
        BOOST_TEST(seen.result.said("and which files were asked for, is not known"), seen.result);
        BOOST_TEST(seen.report.at("blind").size() == 2U, seen.result);
        const Reported tried =
            read(outside({probe("refused"), "outer", sandbox_program(), "--profile", "inner", "--explain",
                          "--permissive", "--report-json", report_file(), "--report", "always", "--", "true"}));
        BOOST_TEST(tried.result.said("which system calls would be refused, and which files"), tried.result);
        BOOST_TEST(tried.report.at("blind").size() == 2U, tried.result);
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
    const Reported seen = explained({"--profile", "default"}, {"python3", "-c", chain});
    BOOST_TEST(!seen.result.hung);
    BOOST_TEST(seen.result.status == 0, seen.result);
}

BOOST_AUTO_TEST_CASE(permissive_tells_what_would_be_refused_and_lets_it_happen) {
    const std::string work = "cat ~/.gitconfig ~/.ssh/id_rsa; echo x > new.txt; mkdir dir; rmdir dir; rm mine.txt; "
                             "mkdir ~/data; '" +
                             probe("refused") + "' grandchild " + std::to_string(SYS_ptrace) + " " +
                             std::to_string(SYS_keyctl);
    const Reported seen = reported(
        {"--explain", "--permissive", "--quiet", "--profile", "strict", "--report", "always"}, {"sh", "-c", work});
    BOOST_TEST(seen.result.said("warning: CMD runs unprotected (--permissive)"), seen.result);
    BOOST_TEST(seen.result.said("sandbox: would be refused under the profile strict\n"), seen.result);
    BOOST_TEST(seen.result.printed("PRIVATE KEY"), seen.result);
    BOOST_TEST(!seen.result.printed(": EPERM"), seen.result);
    BOOST_TEST(fs::exists(project / "new.txt"));
    BOOST_TEST(!fs::exists(project / "mine.txt"));
    BOOST_TEST(seen.report.at("permissive") == true);
    BOOST_TEST(seen.report.at("profile") == "strict");
    for (const char* call : {"ptrace", "keyctl"}) {
        BOOST_REQUIRE_MESSAGE(!seen.of(call).is_null(), call << seen.report.dump(1));
        BOOST_TEST(seen.of(call).at("errno") == "EPERM");
    }
    const std::pair<std::string, const char*> kFiles[] = {
        {in_home(".gitconfig"), "read"}, {in_home(".ssh/id_rsa"), "read"},   {in_project("new.txt"), "create"},
        {in_project("dir"), "create"},   {in_project("mine.txt"), "create"},
    };
    for (const auto& [path, intent] : kFiles) {
        BOOST_REQUIRE_MESSAGE(!seen.of(path).is_null(), path << seen.report.dump(1));
        BOOST_TEST(seen.of(path).at("intent") == intent, path);
    }
    // What CMD has made itself was not kept from it.
    const Reported own = reported({"--explain", "--permissive", "--profile", "default"},
                                  {"sh", "-c", "cat ~/own.txt; echo own > ~/own.txt; cat ~/own.txt"});
    BOOST_REQUIRE_MESSAGE(!own.of(in_home("own.txt")).is_null(), own.report.dump(1));
    BOOST_TEST(own.of(in_home("own.txt")).at("kind") == "lost", own.report.dump(1));
    BOOST_TEST(seen.of(in_home("data")).is_null(), seen.report.dump(1)); // it was there: mkdir(2) fails everywhere
}

BOOST_AUTO_TEST_CASE(a_shown_plan_of_permissive_says_that_it_is_and_against_which_profile) {
    for (const char* how : {"--dry-run", "--dry-run=json"}) {
        const Result shown = sandbox({"--explain", "--permissive", "--profile", "strict", how, "--", "true"});
        BOOST_TEST(shown.status == 0, shown);
        BOOST_TEST(shown.said("warning: CMD runs unprotected (--permissive)"), shown);
        BOOST_TEST(shown.said("the profile strict would refuse"), shown);
        BOOST_TEST(!sandbox({"--explain", "--profile", "strict", how, "--", "true"}).said("unprotected"));
    }
}

BOOST_AUTO_TEST_CASE(permissive_holds_what_options_say_against_the_profile_and_not_the_run) {
    const Reported seen = reported(
        {"--explain", "--permissive", "--profile", "strict", "--ro", in_home(".gitconfig"), "--hide",
         in_project("mine.txt"), "--seccomp-allow", "ptrace", "--env", "GIVEN=yes"},
        {"sh", "-c",
         "cat ~/.gitconfig mine.txt; echo $GIVEN; '" + probe("refused") + "' self " + std::to_string(SYS_ptrace)});
    BOOST_TEST(seen.result.printed("mine\nyes\n"), seen.result);
    BOOST_TEST(seen.of(in_home(".gitconfig")).is_null(), seen.report.dump(1));
    BOOST_TEST(!seen.of(in_project("mine.txt")).is_null(), seen.report.dump(1));
    BOOST_TEST(seen.of("ptrace").is_null(), seen.report.dump(1));
}

BOOST_AUTO_TEST_CASE(permissive_is_the_built_in_profile_and_takes_no_other_root) {
    profile("permissive", "extends = \"strict\"\n");
    const Words wish = {"--explain", "--permissive", "--profile", "strict"};
    const Reported seen = reported(wish, {"cat", in_home(".gitconfig")});
    BOOST_TEST(seen.result.printed("somebody"), seen.result);
    for (const char* name : {"tree/bin", "tree/etc", "tree/usr"}) {
        directory(home / name);
    }
    const Result tree = sandbox({"--explain", "--permissive", "--rootfs", in_home("tree"), "--", "true"});
    BOOST_TEST(tree.status == 125, tree);
    BOOST_TEST(tree.said("--permissive: cannot run CMD on the host in the place of an image"), tree);
}

BOOST_AUTO_TEST_SUITE_END()
