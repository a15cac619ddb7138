// The command line: what is an option, what is CMD's, and that words arrive as they were written.
#include <boost/test/unit_test.hpp>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "tests/support/count.hpp"
#include "tests/support/world.hpp"

namespace fs = std::filesystem;
using namespace sandbox::test;

BOOST_FIXTURE_TEST_SUITE(cli, World)

BOOST_AUTO_TEST_CASE(version_and_help_are_printed) {
    const Result version = sandbox({"--version"});
    BOOST_TEST(version.status == 0);
    BOOST_TEST(version.out.starts_with("sandbox "), version);
    const Result help = sandbox({"--help"});
    BOOST_TEST(help.status == 0);
    for (const char* option :
         {"--profile", "--ro",       "--rw",      "--tmpfs",     "--hide",    "--workdir",  "--user",
          "--root",    "--hostname", "--share",   "--net",       "--env",     "--pass-env", "--clear-env",
          "--cap-add", "--cap-drop", "--seccomp", "--name",      "--tty",     "--no-tty",   "--timeout",
          "--dry-run", "--quiet",    "--verbose", "--status-fd", "--version", "--help"}) {
        BOOST_TEST(help.printed(option), option << help);
    }
}

BOOST_AUTO_TEST_CASE(options_end_at_the_first_word_that_is_not_one) {
    const Result own = sandbox({"--profile", "strict", "echo", "--version", "--profile", "none", "--", "-x"});
    BOOST_TEST(own.out == "--version --profile none -- -x\n", own);
    const Result behind = sandbox({"--profile", "strict", "--", "echo", "--ro", "/"});
    BOOST_TEST(behind.out == "--ro /\n", behind);
}

BOOST_AUTO_TEST_CASE(a_command_that_looks_like_an_option_stays_a_command) {
    const Result word = sandbox({"--profile", "strict", "--", "--version"});
    BOOST_TEST(word.status == 127, word);
    write(project / "--ro", "#!/bin/sh\necho ran\n", 0755);
    const Result planted = sandbox({"--profile", "strict", "--", "./--ro"});
    BOOST_TEST(planted.out == "ran\n", planted);
}

BOOST_AUTO_TEST_CASE(words_arrive_byte_by_byte) {
    const Words odd = {"$(touch pwned)", ";id", "a b", "",  "new\nline", "'\"`\\", "*",
                       "\xff\xfe",       "-",   "--",  "~", "${HOME}"};
    Words words = {"--profile", "build", "--", "printf", "[%s]"};
    std::string expected;
    for (const std::string& word : odd) {
        words.push_back(word);
        expected += "[" + word + "]";
    }
    const Result printed = sandbox(words);
    BOOST_TEST(printed.out == expected, printed);
    BOOST_TEST(!fs::exists(project / "pwned"));
}

BOOST_AUTO_TEST_CASE(an_unknown_option_names_the_nearest) {
    const Result unknown = sandbox({"--profil", "strict", "true"});
    BOOST_TEST(unknown.status == 125, unknown);
    BOOST_TEST(unknown.said("--profile"), unknown);
    BOOST_TEST(sandbox({"--tmpfz", "/x", "true"}).said("--tmpfs"));
}

BOOST_AUTO_TEST_CASE(senseless_words_are_errors) {
    for (const Words& words :
         {Words{}, Words{"--profile"}, Words{"--profile", "strict"}, Words{"--ro", "", "true"},
          Words{"--profile", "strict", "--user", "12x", "true"},
          Words{"--profile", "strict", "--user", "99999999999", "true"},
          Words{"--profile", "strict", "--env", "=x", "true"}, Words{"--profile", "strict", "--env", "NOVALUE", "true"},
          Words{"--profile", "strict", "--timeout", "soon", "true"},
          Words{"--profile", "strict", "--net", "maybe", "true"},
          Words{"--profile", "strict", "--share", "mount", "true"},
          Words{"--profile", "strict", "--status-fd", "99", "true"},
          Words{"--profile", "strict", "--status-fd", "x", "true"},
          Words{"--profile", "strict", "--hostname", std::string(300, 'x'), "true"},
          Words{"--profile", "strict", "--", ""}}) {
        const Result failed = sandbox(words);
        BOOST_TEST(failed.status >= 125, failed);
        BOOST_TEST(failed.err.starts_with("sandbox: "), failed);
        BOOST_TEST(failed.out.empty(), failed);
    }
}

BOOST_AUTO_TEST_CASE(dry_run_shows_everything_and_runs_nothing) {
    const std::string before = tree(home);
    const Result shown =
        sandbox({"--profile", "strict", "--ro", "/usr", "--dry-run", "--", "touch", "/tmp/ran-" + user().name});
    BOOST_TEST(shown.status == 0, shown);
    BOOST_TEST(shown.printed("strict.toml:"), shown);
    BOOST_TEST(shown.printed("--ro /usr"), shown);
    BOOST_TEST(!fs::exists("/tmp/ran-" + user().name));
    BOOST_TEST(tree(home) == before);
}

BOOST_AUTO_TEST_CASE(dry_run_json_is_json) {
    const Result shown = sandbox({"--profile", "strict", "--dry-run=json", "--", "true", "argument"});
    BOOST_TEST(shown.status == 0, shown);
    const auto parsed = nlohmann::json::parse(shown.out);
    BOOST_TEST(parsed.is_object());
    BOOST_TEST(parsed.dump().find("argument") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(verbose_traces_the_steps_on_standard_error) {
    const Result traced = sandbox({"--profile", "strict", "--verbose", "--", "echo", "fine"});
    BOOST_TEST(traced.out == "fine\n", traced);
    BOOST_TEST(traced.said("ms"), traced);
    BOOST_TEST(traced.said("uid"), traced);
}

BOOST_AUTO_TEST_CASE(quiet_leaves_notes_out_and_keeps_errors) {
    Options at_home = here();
    at_home.cwd = home;
    BOOST_TEST(!sandbox({"--profile", "strict", "true"}, at_home).err.empty());
    BOOST_TEST(sandbox({"--profile", "strict", "--quiet", "true"}, at_home).err.empty());
    BOOST_TEST(!sandbox({"--profile", "strict", "--quiet", "--ro", "/nonexistent", "true"}).err.empty());
}

BOOST_AUTO_TEST_CASE(a_program_is_found_by_the_path_inside) {
    write(project / "bin/tool", "#!/bin/sh\necho tool ran\n", 0755);
    Options options = here();
    options.environment["PATH"] = (project / "bin").string() + ":/usr/bin:/bin";
    const Result by_path = sandbox({"--profile", "strict", "--", "tool"}, options);
    BOOST_TEST(by_path.out == "tool ran\n", by_path);
    const Result relative = sandbox({"--profile", "strict", "--", "bin/tool"});
    BOOST_TEST(relative.out == "tool ran\n", relative);
    const Result plain = sandbox({"--profile", "strict", "--", "ls", "bin"});
    BOOST_TEST(plain.out == "tool\n", plain);
}

BOOST_AUTO_TEST_CASE(the_working_directory_can_be_chosen) {
    const Result chosen = sandbox({"--profile", "strict", "--workdir", "/usr", "--", "pwd"});
    BOOST_TEST(chosen.out == "/usr\n", chosen);
}

BOOST_AUTO_TEST_CASE(a_relative_grant_means_the_current_directory) {
    directory(project / "sub");
    const Result relative =
        sandbox({"--profile", "strict", "--rw", "sub", "--", "sh", "-c", "echo x > sub/file; cat sub/file"});
    BOOST_TEST(relative.out == "x\n", relative);
    BOOST_TEST(read_file(project / "sub/file") == "x\n");
}

BOOST_AUTO_TEST_CASE(completion_scripts_are_sound) {
    const struct {
        const char* shell;
        Words check;
    } kShells[] = {
        {"bash", {"bash", "-n"}},
        {"zsh", {"zsh", "-n"}},
        {"fish", {"fish", "--no-execute"}},
    };
    for (const auto& [shell, check] : kShells) {
        for (const char* program : {"sandbox", "sandboxctl"}) {
            const Result script = outside({sandboxctl_program(), "completion", shell, "--for", program});
            BOOST_TEST(script.status == 0, shell << script);
            BOOST_TEST(!script.out.empty(), shell << script);
            if (installed(shell)) {
                write(project / "script", script.out);
                Words words = check;
                words.push_back("script");
                const Result checked = outside(words);
                BOOST_TEST(checked.status == 0, shell << program << checked);
            }
        }
    }
}

BOOST_AUTO_TEST_CASE(bash_completes_options_and_profiles) {
    NEEDS(installed("bash"), "bash is not installed");
    const Result completed = outside({"bash", "-c",
                                      "source <(" + sandboxctl_program() +
                                          " completion bash --for sandbox)\n"
                                          "PATH=" +
                                          fs::path(sandbox_program()).parent_path().string() +
                                          ":$PATH\n"
                                          "f=$(complete -p sandbox | sed 's/.*-F \\([^ ]*\\) .*/\\1/')\n"
                                          "COMP_WORDS=(sandbox --pro) COMP_CWORD=1 COMP_LINE='sandbox --pro' "
                                          "COMP_POINT=13\n$f sandbox --pro sandbox\n"
                                          "echo \"options: ${COMPREPLY[*]}\"\n"
                                          "COMPREPLY=() COMP_WORDS=(sandbox --profile st) COMP_CWORD=2 "
                                          "COMP_LINE='sandbox --profile st' COMP_POINT=20\n"
                                          "$f sandbox st --profile\necho \"profiles: ${COMPREPLY[*]}\""});
    BOOST_TEST(completed.printed("options: --profile"), completed);
    BOOST_TEST(completed.printed("profiles: strict"), completed);
}

BOOST_AUTO_TEST_SUITE_END()
