// --dry-run: complete, true, and with the origin of everything.
#include "cmd/common/dry_run.hpp"

#include <nlohmann/json.hpp>

#include "cmd/common/options.hpp"
#include "cmd/common/profile_file.hpp"
#include "tests/support/fake_host.hpp"
#include "tests/unit/cmd/cmd_test.hpp"

using namespace sandbox;
using namespace sandbox::test;

namespace {

struct Composed {
    FakeHost machine;
    Profile profile;
    Plan plan;

    explicit Composed(std::vector<std::string> words) {
        words.emplace_back("true");
        const CommandLine line = parse_command_line(words);
        const ProfileSearch search{{"profiles"}};
        profile = load_profile(line.profile_name, search);
        replace_seccomp(profile, line.profile, search);
        profile = merge(std::move(profile), line.profile);
        plan = make_plan(profile, {line.arguments, line.name}, machine.host);
    }
    [[nodiscard]] std::string text() const { return dry_run_text(profile, plan); }
    [[nodiscard]] nlohmann::json json() const { return nlohmann::json::parse(dry_run_json(profile, plan)); }
};

} // namespace

BOOST_AUTO_TEST_SUITE(dry_run)

BOOST_AUTO_TEST_CASE(the_json_holds_the_whole_plan) {
    const Composed composed({"-p", "strict", "--cap-add", "net_raw", "--env", "A=1", "--name", "n", "--timeout", "2s"});
    const nlohmann::json json = composed.json();
    const Plan& plan = composed.plan;
    BOOST_TEST(json["plan"] == 1);
    BOOST_TEST(json["name"] == "n");
    BOOST_TEST(json["command"]["arguments"][0] == "true");
    BOOST_TEST(json["command"]["candidates"].size() == plan.process.candidates.size());
    BOOST_TEST(json["command"]["timeout_ms"]["value"] == 2000);
    BOOST_TEST(json["command"]["timeout_ms"]["origin"]["source"] == "--timeout 2s");
    BOOST_TEST(json["filesystem"]["entries"].size() == plan.root.entries.size());
    BOOST_TEST(json["environment"].size() == plan.environment.size());
    BOOST_TEST(json["seccomp"]["entries"].size() == plan.seccomp.entries.size());
    BOOST_TEST(json["capabilities"][0]["name"] == "CAP_NET_RAW");
    BOOST_TEST(json["capabilities"][0]["origin"]["kind"] == "option");
    BOOST_TEST(json["ids"]["uid_map"].size() == plan.ids.uid_map.size());
    BOOST_TEST(json["network"]["mode"]["value"] == "none");
    BOOST_TEST(json["namespaces"]["new"].size() == 7U);
    BOOST_TEST(json["profile"]["files"].size() == composed.profile.lineage.size());
}

BOOST_AUTO_TEST_CASE(the_links_of_hidden_names_are_shown_with_what_hides_them) {
    const Composed composed({"-p", "strict"});
    const nlohmann::json hidden = composed.json()["filesystem"]["hidden_names"];
    BOOST_TEST(hidden["home"]["value"] == "/home/dev");
    BOOST_TEST(hidden["home"]["origin"]["key"] == "filesystem.tmpfs");
    BOOST_TEST(hidden["names"].size() == composed.plan.root.hidden_names.list.size());
    BOOST_TEST(hidden["names"][0]["name"] == "~/.ssh");
    BOOST_TEST(hidden["names"][0]["link"] == "/home/dev/.ssh");
    BOOST_TEST(hidden["names"][0]["target"] == "/home/dev/.sandbox/.ssh");
    BOOST_TEST(hidden["names"][0]["kind"] == "directory");
    BOOST_TEST(contains(composed.text(), "trip link   /home/dev/.npmrc -> /home/dev/.sandbox/.npmrc"));
    const Composed without({"-p", "permissive"});
    BOOST_TEST(without.json()["filesystem"]["hidden_names"].is_null());
    BOOST_TEST(!contains(without.text(), "trip link"));
}

BOOST_AUTO_TEST_CASE(limits_of_the_sandbox_are_shown_with_the_places_they_may_be_held_in) {
    const Composed composed({"-p", "strict", "--memory", "512m"});
    const nlohmann::json cgroup = composed.json()["cgroup"];
    BOOST_TEST(cgroup["limits"][0]["file"] == "memory.max");
    BOOST_TEST(cgroup["limits"][0]["value"] == "536870912");
    BOOST_TEST(cgroup["limits"][0]["required"] == true);
    BOOST_TEST(cgroup["limits"][0]["origin"]["source"] == "--memory 512m");
    BOOST_TEST(cgroup["limits"][2]["name"] == "pids");
    BOOST_TEST(cgroup["limits"][2]["required"] == false);
    BOOST_TEST(cgroup["places"][0]["bus"] == "unix:path=/run/user/1000/bus");
    BOOST_TEST(cgroup["obstacle"].is_null());
    BOOST_TEST(contains(composed.text(), "memory      512 MiB"));
    BOOST_TEST(contains(composed.text(), "pids        512 processes and threads, if it can be had"));
    BOOST_TEST(contains(composed.text(), "a scope of your systemd"));
}

BOOST_AUTO_TEST_CASE(limits_of_the_network_are_shown_with_its_mode) {
    const Composed composed({"-p", "default", "--net-in", "20mbit"});
    const nlohmann::json bandwidth = composed.json()["network"]["bandwidth"];
    BOOST_TEST(bandwidth["in"]["bytes_per_second"] == 2'500'000);
    BOOST_TEST(bandwidth["in"]["required"] == true);
    BOOST_TEST(bandwidth["in"]["origin"]["source"] == "--net-in 20mbit");
    BOOST_TEST(bandwidth["out"].is_null());
    BOOST_TEST(contains(composed.text(), "at most in  20 Mbit/s"));
    BOOST_TEST(!contains(composed.text(), "at most out"));
    BOOST_TEST(contains(composed.text(), "MTU 12500"));
}

BOOST_AUTO_TEST_CASE(limits_are_shown_with_their_origins) {
    const Composed composed({"-p", "strict", "--ulimit", "nofile=1024:4096", "--ulimit", "fsize=unlimited"});
    const nlohmann::json limits = composed.json()["limits"];
    BOOST_TEST(limits.size() == 3U);
    BOOST_TEST(limits[0]["name"] == "core");
    BOOST_TEST(limits[0]["hard"] == 0);
    BOOST_TEST(limits[0]["origin"]["source"] == "profiles/strict.toml");
    BOOST_TEST(limits[1]["soft"].is_null());
    BOOST_TEST(limits[2]["soft"] == 1024);
    BOOST_TEST(limits[2]["hard"] == 4096);
    BOOST_TEST(limits[2]["origin"]["source"] == "--ulimit nofile=1024:4096");
    BOOST_TEST(contains(composed.text(), "core        0 bytes"));
    BOOST_TEST(contains(composed.text(), "<- profiles/strict.toml:"));
    BOOST_TEST(contains(composed.text(), "nofile      1024, can be raised to 4096"));
    BOOST_TEST(contains(composed.text(), "others      the caller's"));
}

BOOST_AUTO_TEST_CASE(every_step_of_the_root_and_every_variable_is_shown_with_its_origin) {
    const Composed composed({"-p", "strict", "--rw", "/home/dev/project", "--env", "A=b\nc"});
    const std::string text = composed.text();
    for (const RootEntry& entry : composed.plan.root.entries) {
        BOOST_TEST(contains(text, " " + escaped(entry.dest)), entry.dest);
    }
    BOOST_TEST(contains(text, "A=b\\nc"));
    BOOST_TEST(contains(text, "<- --env A=b\\nc"));
    BOOST_TEST(contains(text, "<- --rw /home/dev/project"));
    BOOST_TEST(contains(text, "<- profiles/default.toml:"));
}

BOOST_AUTO_TEST_CASE(what_was_overridden_is_shown_with_what_overrode_it) {
    const Composed composed({"-p", "strict", "--net", "host"});
    BOOST_TEST(contains(composed.text(), "network.mode 'none'"));
    const nlohmann::json overridden = composed.json()["overridden"];
    const auto found = std::ranges::find_if(
        overridden, [](const auto& entry) { return entry["key"] == "network.mode" && entry["value"] == "none"; });
    BOOST_REQUIRE((found != overridden.end()));
    BOOST_TEST((*found)["by"]["source"] == "--net host");
    BOOST_TEST(composed.json()["network"]["mode"]["value"] == "host");
}

BOOST_AUTO_TEST_CASE(no_filter_is_said_to_be_none) {
    const Composed composed({"--seccomp", "none"});
    BOOST_TEST(contains(composed.text(), "no filter"));
    BOOST_TEST(composed.json()["seccomp"]["filter"]["value"] == false);
}

BOOST_AUTO_TEST_CASE(bytes_that_are_no_utf8_do_not_break_the_json) {
    const Composed composed({"--env", "A=\xff\xfe"});
    const nlohmann::json json = composed.json();
    BOOST_TEST(json["plan"] == 1);
    BOOST_TEST(contains(composed.text(), "A=\\xff\\xfe"));
}

BOOST_AUTO_TEST_SUITE_END()
