// What CMD leaves in a private place is told: the path, the size, and what would keep it; what it leaves cannot lead
// the look at it anywhere, nor hold the run up.
#include <boost/test/unit_test.hpp>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "tests/support/count.hpp"
#include "tests/support/world.hpp"

namespace fs = std::filesystem;
using nlohmann::json;
using namespace sandbox::test;

namespace {

struct Lost : World {
    /// The end of `sh -c SCRIPT` under `default`, with the whole text of its report.
    [[nodiscard]] Result told(const std::string& script, Words options = {}) const {
        options.insert(options.begin(), {"--quiet", "--report", "always"});
        options.insert(options.end(), {"--", "sh", "-c", script});
        return sandbox(options);
    }
    /// The same as JSON: what is told of `kind`, by its object.
    [[nodiscard]] json listed(const std::string& kind, const std::string& script, Words options = {}) const {
        const json report = reported(script, std::move(options));
        json found = json::object();
        for (const json& refusal : report.at("refusals")) {
            if (refusal.at("kind") == kind) {
                found[refusal.at("object").get<std::string>()] = refusal;
            }
        }
        return found;
    }
    [[nodiscard]] json reported(const std::string& script, Words options) const {
        const std::string file = home / "report.json";
        options.insert(options.begin(), {"--quiet", "--report-json", file});
        options.insert(options.end(), {"--", "sh", "-c", script});
        const Result result = sandbox(options);
        BOOST_TEST(result.status == 0, result);
        return json::parse(read_file(file));
    }
    [[nodiscard]] std::string in_home(const std::string& name) const { return (home / name).string(); }
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(lost, Lost)

BOOST_AUTO_TEST_CASE(a_file_in_the_private_home_is_told_with_its_size_and_its_rule) {
    const Result result = told("printf 12345 >~/result.txt; : >~/empty; ln -s / ~/link; echo kept >kept.txt");
    BOOST_TEST(result.said("lost file " + in_home("result.txt") + ", 5 bytes: "), result);
    BOOST_TEST(result.said("default.toml:17:43: filesystem.tmpfs\n"), result);
    BOOST_TEST(!result.said("empty"), result);
    BOOST_TEST(!result.said("link"), result);
    BOOST_TEST(!result.said("kept.txt"), result); // the control: what is granted stays
    BOOST_TEST(read_file(project / "kept.txt") == "kept\n");
    BOOST_TEST(!fs::exists(home / "result.txt"));
}

BOOST_AUTO_TEST_CASE(files_of_one_directory_are_one_line_and_its_grant_keeps_them) {
    write(home / "data/old", "old\n");
    const std::string script =
        "mkdir -p ~/data/run && cd ~/data/run && printf 123 >a && mkdir -p b/c && printf 4567 >b/c/d";
    const json without = listed("lost", "mkdir -p ~/data && printf 123 >~/data/a && printf 4567 >~/data/b");
    BOOST_REQUIRE(without.contains(in_home("data")));
    const json& one = without.at(in_home("data"));
    BOOST_TEST(one.at("files") == 2);
    BOOST_TEST(one.at("bytes") == 7);
    BOOST_TEST(one.at("grant").at("option") == "--rw ~/data");
    const json with = listed("lost", script, {"--rw", in_home("data")});
    BOOST_TEST(with.empty(), with.dump());
    BOOST_TEST(read_file(home / "data/run/b/c/d") == "4567");
}

BOOST_AUTO_TEST_CASE(the_sum_of_what_is_lost_ends_at_the_largest_number) {
    const json lost = listed("lost", "mkdir ~/d && cd ~/d && truncate -s 9223372036854775807 a b c d");
    BOOST_REQUIRE_MESSAGE(lost.contains(in_home("d")), lost.dump());
    BOOST_TEST(lost.at(in_home("d")).at("files") == 4);
    BOOST_TEST(lost.at(in_home("d")).at("bytes") == 18446744073709551615U);
}

BOOST_AUTO_TEST_CASE(what_has_no_place_outside_has_no_grant) {
    const json lost = listed(
        "lost", "mkdir -p ~/.config/tool && echo a >~/.config/tool/a && echo b >~/b && echo >~/.ssh/known_hosts");
    for (const char* name : {".config/tool/a", "b", ".ssh/known_hosts"}) {
        BOOST_REQUIRE_MESSAGE(lost.contains(in_home(name)), lost.dump());
        BOOST_TEST(lost.at(in_home(name)).at("grant").is_null(), lost.dump());
        BOOST_TEST(!lost.at(in_home(name)).at("advice").get<std::string>().empty(), lost.dump());
    }
}

BOOST_AUTO_TEST_CASE(what_is_temporary_on_the_host_as_well_is_not_told) {
    const std::string script =
        "for d in /tmp /var/tmp /run /dev/shm; do echo x >$d/file || exit 1; done; echo x >~/file";
    const json lost = listed("lost", script);
    BOOST_TEST(lost.size() == 1, lost.dump());
    BOOST_TEST(lost.contains(in_home("file")), lost.dump());
}

BOOST_AUTO_TEST_CASE(caches_and_histories_are_told_to_programs_alone) {
    const std::string script = "mkdir -p ~/.cache/x && echo x >~/.cache/x/y && echo ls >~/.bash_history";
    const json lost = listed("lost", script);
    BOOST_TEST(lost.contains(in_home(".cache/x/y")), lost.dump());
    BOOST_TEST(lost.contains(in_home(".bash_history")), lost.dump());
    const Result result = told(script + "; echo x >~/work");
    BOOST_TEST(result.said("lost file " + in_home("work")), result); // the control
    BOOST_TEST(!result.said(".cache"), result);
    BOOST_TEST(!result.said(".bash_history"), result);
}

BOOST_AUTO_TEST_CASE(what_is_left_leads_the_look_nowhere) {
    write(home / "outside/secret", "host\n");
    const std::string script = "cd ~; ln -s " + in_home("outside") + " out; ln -s " + in_home("outside/secret") +
                               " file; ln -s /proc/1/root up; mkfifo pipe; mkdir dir; "
                               "ln -s ../.. dir/up; printf \"a\" >\"$(printf 'x\\033[2Jy\\nz')\"; echo f >dir/f";
    const json lost = listed("lost", script);
    BOOST_TEST(lost.size() == 2, lost.dump());
    BOOST_TEST(lost.contains(in_home("dir/f")), lost.dump());
    BOOST_TEST(reported("printf a >\"$(printf ~/'\\177\\033')\"", {}).at("refusals").size() == 1);
    BOOST_TEST(read_file(home / "report.json").find("/\\u007f\\u001b\"") != std::string::npos);
    const Result result = told(script);
    BOOST_TEST(result.said("x\\x1b[2Jy\\nz"), result);
    BOOST_TEST(result.err.find('\x1b') == std::string::npos, result);
}

BOOST_AUTO_TEST_CASE(too_much_to_look_at_is_said_and_holds_nothing_up) {
    for (const char* script : {
             "cd ~; for i in $(seq 60); do mkdir d && cd d; done; echo x >x",
             "mkdir ~/d && cd ~/d && seq 21000 | xargs touch",
             "mkdir ~/d && echo x >~/d/x && chmod 0 ~/d",
         }) {
        const json report = reported(script, {});
        const bool is_told =
            std::ranges::any_of(report.at("blind"), [](const json& blind) { return blind.at("kind") == "lost"; });
        BOOST_TEST(is_told, script);
    }
    const Result text = told("mkdir ~/d && echo x >~/d/x && chmod 0 ~/d");
    BOOST_TEST(text.said("note: CMD left more in private places than is told"), text);
    const json control = reported("mkdir ~/d && echo x >~/d/x", {});
    BOOST_TEST(control.at("blind").empty(), control.dump());
}

BOOST_AUTO_TEST_CASE(a_place_that_the_host_does_not_have_is_scratch) {
    fs::create_directory(project / "there");
    const std::string places[] = {(project / "there").string(), "/scratch"};
    const json lost =
        listed("lost", "echo x >there/x && echo x >/scratch/x", {"--tmpfs", places[0], "--tmpfs", places[1]});
    BOOST_TEST(lost.size() == 1, lost.dump());
    BOOST_TEST(lost.contains(places[0] + "/x"), lost.dump());
}

BOOST_AUTO_TEST_CASE(with_explain_a_file_is_told_once) {
    const json lost = listed("lost", "echo x >~/result.txt", {"--explain"});
    BOOST_TEST(lost.size() == 1, lost.dump());
    BOOST_TEST(lost.at(in_home("result.txt")).contains("intent"), lost.dump());
}

BOOST_AUTO_TEST_CASE(the_time_limit_and_the_warnings_of_the_start_are_in_the_report_for_programs) {
    const std::string file = home / "report.json";
    const Result ended =
        sandbox({"--report-json", file, "--timeout", "100ms", "--pass-env", "NOT_SET_HERE", "--", "sleep", "100"});
    BOOST_TEST(ended.status == 124, ended);
    const json report = json::parse(read_file(file));
    const json& limit = report.at("refusals").at(0);
    BOOST_TEST(limit.at("kind") == "limit", report.dump());
    BOOST_TEST(limit.at("object") == "timeout");
    BOOST_TEST(limit.at("limit") == "0.1 s");
    const std::string warnings = report.at("warnings").dump();
    BOOST_TEST(warnings.find("NOT_SET_HERE: no variable of this name") != std::string::npos, warnings);
    BOOST_TEST(ended.said("note: --pass-env NOT_SET_HERE"), ended); // the same, where it was told
    const Result whole = told("true", {"--pass-env", "NOT_SET_HERE"});
    BOOST_TEST(whole.said("warned of before it started\n"), whole);
    BOOST_TEST(whole.said("NOT_SET_HERE"), whole);
    const Result control = told("true");
    BOOST_TEST(!control.said("NOT_SET_HERE"), control);
}

BOOST_AUTO_TEST_SUITE_END()
