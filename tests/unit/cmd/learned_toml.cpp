// What learn writes is a profile that grants what was learned, and learn reads it again.
#include "cmd/common/learned_toml.hpp"
#include "cmd/common/profile_file.hpp"
#include "cmd/common/profile_text.hpp"
#include "core/plan/plan.hpp"
#include "tests/support/fake_host.hpp"
#include "tests/unit/cmd/cmd_test.hpp"

using namespace sandbox;
using namespace sandbox::test;

namespace {

struct LearnedTest {
    FakeHost machine;
    TemporaryDirectory files;
    ProfileSearch search{{"profiles"}};

    [[nodiscard]] CallerPlaces places() const { return caller_places(machine.host); }
    [[nodiscard]] Plan plan_under(const std::string& profile) const {
        return make_plan(load_profile(profile, search), {{"true"}, ""}, machine.host);
    }
    /// What CMD was refused under `profile` when it made these calls.
    [[nodiscard]] Observations run_under(const std::string& profile, const std::vector<PathCall>& calls) const {
        const Plan plan = plan_under(profile);
        const PathOracle oracle(plan.root);
        Observations seen;
        for (const PathCall& call : calls) {
            const auto verdict = oracle.judge(call);
            BOOST_REQUIRE(verdict);
            if (verdict->effect != PathEffect::works) {
                seen.paths.push_back({*verdict, call.intent, machine.host.look_up(verdict->host_path), "prog", 1});
            }
        }
        return seen;
    }
    [[nodiscard]] std::string text(const Observations& seen, const std::string& base = "default") const {
        return learned_to_toml({base, "", learn(seen, places())});
    }
    [[nodiscard]] std::string again(const std::string& written) const {
        return learned_to_toml(read_learned(written, "learned.toml", machine.host));
    }
    [[nodiscard]] std::string text_of_two_runs(const std::string& written) const {
        LearnedFile file = read_learned(written, "learned.toml", machine.host);
        file.learned = join(file.learned, file.learned, places());
        return learned_to_toml(file);
    }
    [[nodiscard]] std::string merge_error(const std::string& written) const {
        return error_of([&] { static_cast<void>(read_learned(written, "my.toml", machine.host)); }).what();
    }
};

PathCall reads(const std::string& path) {
    return {path, PathIntent::read, true};
}

const char* const kStart = "# runs: 2\nextends = \"default\"\n";

} // namespace

BOOST_FIXTURE_TEST_SUITE(learned_toml, LearnedTest)

BOOST_AUTO_TEST_CASE(it_is_written_as_a_person_would) {
    machine.file("/home/dev/.gitconfig");
    Observations seen = run_under("strict", {reads("/home/dev/.gitconfig"),
                                             reads("/home/dev/.gitconfig"),
                                             reads("/home/dev/.ssh/id_ed25519"),
                                             {"/home/dev/project/src/a.o", PathIntent::create, true},
                                             {"/srv/data", PathIntent::list, true}});
    seen.calls.push_back({"ptrace", {}, "gdb", 4});
    seen.calls.push_back({"socket", {.rule = true, .capability = "", .advice = ""}, "vm", 1});
    seen.calls.push_back({"chroot", {.rule = false, .capability = "SYS_CHROOT", .advice = ""}, "sshd", 1});
    seen.calls.push_back({"keyctl", {.rule = false, .capability = "", .advice = "not advised"}, "login", 1});
    seen.hidden.push_back("/home/dev/.aws");
    seen.names.push_back({"example.org", 443, "curl", 1});
    LearnedFile file{"strict", "What 'make' was refused under strict", learn(seen, places())};
    BOOST_TEST(
        learned_to_toml(file) ==
        R"(# sandbox-profile(5), written by sandboxctl learn: read it before you use it. Nothing loads it by itself.
# runs: 1
description = "What 'make' was refused under strict"
extends = "strict"

[filesystem]
read-only = { add = [
    "~/.gitconfig",  # prog: 2 times, seen in 1 of 1 run
    "/srv/data",  # prog: once, seen in 1 of 1 run
] }
read-write = { add = [
    "$PWD/src",  # prog: once, seen in 1 of 1 run
] }

[network]
allow = { add = [
    "example.org:443",  # curl: once, seen in 1 of 1 run
] }

[seccomp]
allow = [
    "chroot",  # sshd: once, seen in 1 of 1 run
    "ptrace",  # gdb: 4 times, seen in 1 of 1 run
]
rule = [
    { syscalls = ["socket"], action = "allow" },  # vm: once, seen in 1 of 1 run
]

[capabilities]
keep = { add = [
    "SYS_CHROOT",  # sshd: once, seen in 1 of 1 run
] }

# Refused or lost too, and not granted:
# secret: ~/.aws  # it was looked at, and is hidden  # seen in 1 of 1 run
# secret: ~/.ssh/id_ed25519  # it is a secret, or leads to one; --ro ~/.ssh/id_ed25519 shows it  # prog: once, seen in 1 of 1 run
# not granted: keyctl  # not advised  # login: once, seen in 1 of 1 run
)");
    BOOST_TEST(again(learned_to_toml(file)) == learned_to_toml(file));
}

BOOST_AUTO_TEST_CASE(what_is_written_loads_and_grants_what_was_refused) {
    machine.file("/home/dev/.gitconfig");
    machine.directory("/home/dev/.cache/pip");
    const std::vector<PathCall> calls = {reads("/home/dev/.gitconfig"),
                                         {"/home/dev/project/src/a.o", PathIntent::create, true},
                                         {"/srv/data", PathIntent::list, true},
                                         {"/dev/kvm", PathIntent::write, true}};
    for (const FoundProfile& base : list_profiles(search)) {
        if (base.name == "container" || base.name == "permissive" || base.shadowed) {
            continue; // an image has files of its own
        }
        BOOST_TEST_CONTEXT(base.name) {
            Observations seen = run_under(base.name, calls);
            BOOST_TEST(!seen.paths.empty());
            const Plan plan = plan_under(base.name);
            seen.calls.push_back({"bpf", {}, "x", 1});
            seen.calls.push_back({"chroot", needs_of_call(plan.seccomp, plan.ids, "chroot", nullptr), "x", 1});
            seen.calls.push_back({"socket", needs_of_call(plan.seccomp, plan.ids, "socket", nullptr), "x", 1});
            const bool has_rule = seen.calls.back().needs.rule;
            const std::string written = text(seen, base.name);
            const std::string learned = files.write("learned.toml", written);
            BOOST_TEST(run_under(learned, calls).paths.empty());
            BOOST_TEST(again(written) == written);
            // Nothing of the base is lost.
            const Profile before = load_profile(base.name, search);
            const Profile after = load_profile(learned, search);
            BOOST_TEST(after.filesystem.read_write.items.size() >= before.filesystem.read_write.items.size());
            BOOST_TEST(after.seccomp.allow.items.size() == before.seccomp.allow.items.size() + (has_rule ? 2 : 3));
            BOOST_TEST(after.seccomp.rules.size() == before.seccomp.rules.size() + (has_rule ? 1 : 0));
            BOOST_TEST(after.capabilities.keep.items.size() == before.capabilities.keep.items.size() + 1);
            BOOST_TEST(contains(text_of_two_runs(written), "\"chroot\",  # x: 2 times, seen in 2 of 2 runs\n"));
            BOOST_TEST(contains(text_of_two_runs(written), "# x: 2 times, seen in 2 of 2 runs\n] }\n"));
        }
    }
}

BOOST_AUTO_TEST_CASE(odd_names_are_granted_and_read_again) {
    std::vector<PathCall> calls;
    const std::string longest = "/srv/" + std::string(4095 - 5, 'n');
    for (const std::string& name :
         {std::string("/srv/a b"), std::string("/srv/a\nb"), std::string("/srv/a\"b'c"), std::string("/home/dev/$HOME"),
          std::string("/home/dev/~"), std::string("/home/dev/odd/a:b"), std::string("/home/dev/odd/a\\b"),
          std::string("/home/dev/odd/  # x: once, seen in 1 of 1 run"), std::string("/home/dev/\xc3\xa9\xe2\x80\xae#"),
          std::string("/home/dev/]"), std::string("/home/dev/#"), std::string("/home/dev/\x7f\t\r"), longest}) {
        machine.file(name);
        calls.push_back(reads(name));
    }
    const std::string written = text(run_under("default", calls));
    BOOST_TEST(contains(written, "\\u202e")); // it would turn the line around
    const std::string learned = files.write("learned.toml", written);
    BOOST_TEST(run_under(learned, calls).paths.empty());
    BOOST_TEST(again(written) == written);
    BOOST_TEST(read_learned(written, "x", machine.host).learned.lines.size() == calls.size());
}

BOOST_AUTO_TEST_CASE(odd_programs_and_secrets_are_comments_of_one_line) {
    Observations seen;
    machine.file("/home/dev/.gitconfig");
    for (const char* name :
         {"/home/dev/.gitconfig", "/home/dev/.ssh/a  # b\n[limits]", "/home/dev/.ssh/\xff\xe2\x80\xae"}) {
        for (const PathRefusal& refusal : run_under("default", {reads(name)}).paths) {
            seen.paths.push_back(refusal);
            seen.paths.back().program = "a, b: once  # x\n\xff";
        }
    }
    const std::string written = text(seen);
    BOOST_TEST(again(written) == written);
    BOOST_TEST(!contains(written, "\n[limits]"));
    const LearnedFile read = read_learned(written, "x", machine.host);
    BOOST_REQUIRE(read.learned.remarks.size() == 2U);
    BOOST_TEST(read.learned.remarks[0].is_secret);
    BOOST_REQUIRE(read.learned.lines.size() == 1U);
    BOOST_TEST(read.learned.lines[0].seen.programs.size() == 1U);
    BOOST_TEST(read.learned.lines[0].seen.runs == 1U);
}

BOOST_AUTO_TEST_CASE(only_lines_that_were_left_out_ask_for_another_run) {
    Learned many;
    many.remarks_left_out = 3;
    const std::string remarks_only = learned_to_toml({"default", "", many});
    BOOST_CHECK_NE(remarks_only.find("\n# 3 more of these are left out\n"), std::string::npos);
    BOOST_CHECK_EQUAL(remarks_only.find("run learn again"), std::string::npos);
    many.lines_left_out = 2;
    BOOST_CHECK_NE(learned_to_toml({"default", "", many})
                       .find("\n# 2 more lines are left out: run learn again with this file as the base\n"),
                   std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_name_that_is_no_utf8_is_a_comment) {
    machine.file("/srv/\xff");
    const std::string written = text(run_under("default", {reads("/srv/\xff")}));
    BOOST_TEST(contains(written, "# not granted: /srv/\\xff  # its name is no UTF-8"));
    BOOST_TEST(again(written) == written);
    BOOST_TEST(parse_profile(written, "x").profile.filesystem.read_only.items.empty());
}

BOOST_AUTO_TEST_CASE(runs_are_joined) {
    for (const char* name : {"/srv/a", "/srv/b"}) {
        machine.file(name);
    }
    std::string written = text(run_under("default", {reads("/srv/a"), reads("/srv/b")}));
    for (const char* name : {"/srv/a", "/home/dev/.ssh/id_ed25519"}) {
        LearnedFile file = read_learned(written, "x", machine.host);
        file.learned = join(file.learned, learn(run_under("default", {reads(name)}), places()), places());
        written = learned_to_toml(file);
    }
    BOOST_TEST(contains(written, "# runs: 3\n"));
    BOOST_TEST(contains(written, "\"/srv/a\",  # prog: 2 times, seen in 2 of 3 runs\n"));
    BOOST_TEST(contains(written, "\"/srv/b\",  # prog: once, seen in 1 of 3 runs\n"));
    BOOST_TEST(contains(written, "  # prog: once, seen in 1 of 3 runs\n"));
    BOOST_TEST(again(written) == written);
}

BOOST_AUTO_TEST_CASE(the_number_of_runs_stays_one_that_can_be_read_again) {
    machine.file("/srv/a");
    std::string written = "# runs: 1000000\nextends = \"default\"\n[filesystem]\nread-only = { add = [\n"
                          "    \"/srv/a\",  # prog: once, seen in 1000000 of 1000000 runs\n] }\n";
    LearnedFile file = read_learned(written, "x", machine.host);
    file.learned = join(file.learned, learn(run_under("default", {reads("/srv/a")}), places()), places());
    written = learned_to_toml(file);
    BOOST_TEST(contains(written, "# runs: 1000000\n"));
    BOOST_TEST(contains(written, "\"/srv/a\",  # prog: 2 times, seen in 1000000 of 1000000 runs\n"));
    BOOST_TEST(again(written) == written);
}

BOOST_AUTO_TEST_CASE(a_line_that_a_person_wrote_stays) {
    machine.file("/home/dev/.ssh/config");
    const std::string written = std::string(kStart) +
                                "[filesystem]\nread-only = { add = [\n  \"~/.ssh/config\", # mine\n  "
                                "\"~/project\"  # prog: once, seen in 9 of 2 runs\n]}\n";
    LearnedFile file = read_learned(written, "x", machine.host);
    BOOST_REQUIRE(file.learned.lines.size() == 2U);
    BOOST_TEST(file.learned.lines[0].seen.runs == 0U);
    BOOST_TEST(file.learned.lines[1].seen.runs == 0U); // no truth in it
    file.learned = join(file.learned, {}, places());
    BOOST_TEST(contains(learned_to_toml(file), "\n    \"~/.ssh/config\",\n"));
}

BOOST_AUTO_TEST_CASE(pwd_stays_pwd_in_another_directory) {
    const std::string written = std::string(kStart) +
                                "[filesystem]\nread-write = { add = [\n    \"$PWD/src\",  # make: "
                                "once, seen in 1 of 2 runs\n] }\n";
    machine.host.cwd = "/srv/data";
    LearnedFile file = read_learned(written, "x", machine.host);
    file.learned = join(file.learned, {}, places());
    BOOST_TEST(contains(learned_to_toml(file), "\"$PWD/src\",  # make: once, seen in 1 of 3 runs\n"));
}

BOOST_AUTO_TEST_CASE(what_learn_would_lose_is_an_error) {
    BOOST_TEST(contains(merge_error("extends = \"default\"\n"),
                        "cannot merge into 'my.toml'\n  cause: sandboxctl learn "
                        "did not write it"));
    BOOST_TEST(contains(merge_error("# runs: 0\nextends = \"default\"\n"), "did not write it"));
    BOOST_TEST(contains(merge_error("# runs: 99999999999\nextends = \"default\"\n"), "did not write it"));
    BOOST_TEST(contains(merge_error("# runs: 2\n"), "it extends no profile"));
    const std::string start = kStart;
    BOOST_TEST(contains(merge_error(start + "[limits]\nmemory = \"1G\"\n"), "it has limits.memory"));
    BOOST_TEST(contains(merge_error(start + "[filesystem]\nhide = { add = [\"/x\"] }\n"), "it has filesystem.hide"));
    BOOST_TEST(
        contains(merge_error(start + "[filesystem]\nwritable-root = true\n"), "it has filesystem.writable-root"));
    BOOST_TEST(contains(merge_error(start + "[filesystem]\nread-only = [\"/x\"]\n"),
                        "my.toml:4:13: filesystem.read-only is a plain list"));
    BOOST_TEST(contains(merge_error(start + "[environment]\nset = { A = \"b\" }\n"), "it has environment.set"));
    for (const char* rule :
         {"syscalls = [\"bpf\"]\naction = \"deny\"\n", "syscalls = [\"@mount\"]\naction = \"allow\"\n",
          "syscalls = [\"bpf\", \"ptrace\"]\naction = \"allow\"\n",
          "syscalls = [\"socket\"]\naction = \"allow\"\nwhen = [{ arg = 0, op = \"==\", value = 1 }]\n"}) {
        BOOST_TEST(contains(merge_error(start + "[[seccomp.rule]]\n" + rule), "it has a seccomp.rule with more"), rule);
    }
    BOOST_TEST(contains(merge_error(start + "[filesystem]\nreadonly = []\n"), "unknown key"));
}

BOOST_AUTO_TEST_CASE(a_grant_is_a_line_of_a_profile) {
    const PathGrant given{.writable = false, .is_directory = false, .path = "/home/dev/a \"b\"", .dest = {}};
    const std::string line = profile_line(given, places()).value_or("");
    BOOST_TEST(line == "filesystem.read-only = { add = [\"~/a \\\"b\\\"\"] }");
    const Profile read = parse_profile(line + "\n", "x").profile;
    BOOST_REQUIRE(read.filesystem.read_only.items.size() == 1U);
    BOOST_TEST(!read.filesystem.read_only.replaces);
    BOOST_TEST(read.filesystem.read_only.items[0].text == "~/a \"b\"");
    BOOST_TEST(!profile_line({.writable = true, .is_directory = false, .path = "/\xff", .dest = {}}, places()));
}

BOOST_AUTO_TEST_SUITE_END()
