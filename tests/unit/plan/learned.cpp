// From what was refused to a delta: merged, collapsed, bounded, without secrets.
#include "core/plan/learned.hpp"
#include "tests/unit/plan/plan_test.hpp"

using namespace sandbox;
using namespace sandbox::test;

namespace {

struct LearnTest : PlanTest {
    Observations seen;

    LearnTest() { rw("/home/dev/project"); }

    void path(const std::string& name, PathIntent intent = PathIntent::read, const std::string& program = "cat",
              std::uint64_t count = 1, std::optional<bool> finds_needed = {}) {
        const Plan made = plan();
        const auto verdict = PathOracle(made.root).judge({name, intent, true, finds_needed});
        BOOST_REQUIRE(verdict);
        seen.paths.push_back({*verdict, intent, host.look_up(verdict->host_path), program, count});
    }
    void call(const std::string& name, const CallNeeds& needs = {}) { seen.calls.push_back({name, needs, "gdb", 4}); }
    [[nodiscard]] CallerPlaces places() const { return caller_places(host, machine.list_directory()); }
    [[nodiscard]] Learned learned() const { return learn(seen, places()); }

    static std::string sightings(const Sightings& from, std::uint32_t runs) {
        std::string text;
        for (const std::string& program : from.programs) {
            text += " " + program;
        }
        return " |" + text + " " + std::to_string(from.count) + "x " + std::to_string(from.runs) + "/" +
               std::to_string(runs);
    }
    static Lines lines(const Learned& from) {
        constexpr const char* kKinds[] = {"ro ", "rw ", "net ", "call ", "rule ", "cap "};
        Lines result;
        for (const LearnedLine& line : from.lines) {
            result.push_back(kKinds[static_cast<std::size_t>(line.kind)] + line.word + sightings(line.seen, from.runs));
        }
        return result;
    }
    static Lines remarks(const Learned& from) {
        Lines result;
        for (const LearnedRemark& remark : from.remarks) {
            result.push_back((remark.is_secret ? "secret " : "") + remark.what + ": " + remark.reason +
                             sightings(remark.seen, from.runs));
        }
        return result;
    }
    void files(const std::string& directory, int count, PathIntent intent = PathIntent::read) {
        for (int i = 0; i < count; ++i) {
            const std::string name = directory + "/" + std::to_string(i);
            machine.file(name);
            path(name, intent);
        }
    }
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(learning, LearnTest)

BOOST_AUTO_TEST_CASE(one_path_is_one_line_however_often_and_by_whom) {
    machine.file("/home/dev/.gitconfig");
    path("/home/dev/.gitconfig", PathIntent::read, "git", 3);
    path("/home/dev/.gitconfig", PathIntent::look, "git", 2);
    path("/home/dev/.gitconfig", PathIntent::read, "an\nother");
    CHECK_LINES(lines(learned()), {"ro ~/.gitconfig | an\\nother git 6x 1/1"});
    BOOST_CHECK(learned().remarks.empty());
}

BOOST_AUTO_TEST_CASE(reading_and_writing_one_path_is_writing_it) {
    machine.file("/home/dev/.toolrc");
    path("/home/dev/.toolrc");
    path("/home/dev/.toolrc", PathIntent::write);
    CHECK_LINES(lines(learned()), {"rw ~/.toolrc | cat 2x 1/1"});
}

BOOST_AUTO_TEST_CASE(files_of_a_directory_that_was_listed_go_with_it) {
    files("/srv/data", 2);
    path("/srv/data", PathIntent::list, "ls");
    path("/srv/data/0", PathIntent::write);
    CHECK_LINES(lines(learned()), {"ro /srv/data | cat ls 2x 1/1", "rw /srv/data/0 | cat 2x 1/1"});
}

BOOST_AUTO_TEST_CASE(four_files_of_one_directory_are_the_directory) {
    files("/srv/data", 3);
    BOOST_CHECK_EQUAL(lines(learned()).size(), 3U);
    files("/srv/data", 4);
    CHECK_LINES(lines(learned()), {"ro /srv/data | cat 7x 1/1"});
    files("/srv/other", 4, PathIntent::write);
    files("/srv/other", 4);
    CHECK_LINES(lines(learned()), {"ro /srv/data | cat 7x 1/1", "rw /srv/other | cat 8x 1/1"});
}

BOOST_AUTO_TEST_CASE(files_beside_a_key_or_a_socket_stay_files) {
    machine.file("/srv/certs/server.pem");
    machine.file("/home/dev/certs/id_rsa");
    machine.socket("/srv/run/sock");
    machine.file("/srv/plain/id_rsa.pub");
    for (const char* directory : {"/srv/certs", "/home/dev/certs", "/srv/run", "/srv/unread", "/srv/plain"}) {
        files(directory, 4);
    }
    machine.lock("/srv/unread");
    Lines words;
    for (const LearnedLine& line : learned().lines) {
        words.push_back(line.word);
    }
    BOOST_CHECK_EQUAL(words.size(), 17U);
    for (const char* wide : {"/srv/certs", "~/certs", "/srv/run", "/srv/unread"}) {
        BOOST_CHECK_MESSAGE(std::ranges::find(words, wide) == words.end(), wide);
    }
    BOOST_CHECK(std::ranges::find(words, "/srv/plain") != words.end()); // the control
}

BOOST_AUTO_TEST_CASE(files_of_the_home_or_beside_secrets_stay_files) {
    files("/home/dev", 5);
    files("/home/dev/.config", 5);
    files("/tmp", 5);
    files("/run", 5);
    files("/dev/x", 5);
    Lines words;
    for (const LearnedLine& line : learned().lines) {
        words.push_back(line.word);
    }
    for (const char* wide : {"~", "~/.config", "/tmp", "/run", "/dev/x", "/dev"}) {
        BOOST_CHECK_MESSAGE(std::ranges::find(words, wide) == words.end(), wide);
    }
    BOOST_CHECK(std::ranges::find(words, "~/.config/1") != words.end());
}

BOOST_AUTO_TEST_CASE(a_secret_is_a_remark) {
    path("/home/dev/.ssh/id_ed25519", PathIntent::read, "ssh", 2);
    path("/run/user/1000/bus");
    BOOST_CHECK(lines(learned()).empty());
    CHECK_LINES(
        remarks(learned()),
        {"secret /run/user/1000/bus: it is a secret, or leads to one; --ro /run/user/1000/bus shows it | cat 1x "
         "1/1",
         "secret ~/.ssh/id_ed25519: it is a secret, or leads to one; --ro ~/.ssh/id_ed25519 shows it | ssh 2x "
         "1/1"});
}

BOOST_AUTO_TEST_CASE(many_secrets_do_not_become_their_directory) {
    for (int i = 0; i < 9; ++i) {
        machine.file("/home/dev/keys/" + std::to_string(i) + ".pem");
        path("/home/dev/keys/" + std::to_string(i) + ".pem");
    }
    BOOST_CHECK(lines(learned()).empty());
    BOOST_CHECK_EQUAL(learned().remarks.size(), kMostLearnedRemarks);
    BOOST_CHECK_EQUAL(learned().remarks_left_out, 9 - kMostLearnedRemarks);
    BOOST_CHECK_EQUAL(learned().lines_left_out, 0U);
}

BOOST_AUTO_TEST_CASE(what_was_written_and_lost_is_a_remark) {
    machine.directory("/home/dev/.cache/pip");
    path("/home/dev/.cache/pip/a", PathIntent::create, "pip", 2, true);
    path("/home/dev/.cache/pip/b", PathIntent::create, "pip", 1, true);
    path("/tmp/x", PathIntent::create);
    path("/home/dev/.viminfo", PathIntent::create);
    BOOST_CHECK(lines(learned()).empty());
    CHECK_LINES(remarks(learned()),
                {"~/.cache/pip: what CMD changed in it is lost at the end; --rw ~/.cache/pip keeps it | pip 3x 1/1"});
}

BOOST_AUTO_TEST_CASE(the_directory_of_a_name_that_could_not_be_made_is_granted) {
    machine.directory("/home/dev/out");
    path("/home/dev/out/new", PathIntent::create, "touch");
    path("/home/dev/old", PathIntent::create, "rm", 1, false);
    CHECK_LINES(lines(learned()), {"rw ~/out | touch 1x 1/1"});
    CHECK_LINES(remarks(learned()), {"~/old: no narrow grant: it would be the whole home | rm 1x 1/1"});
}

BOOST_AUTO_TEST_CASE(what_is_lost_below_what_is_lost_or_kept_is_no_remark_of_its_own) {
    for (const char* name : {"/home/dev/.npm/_cacache/tmp", "/home/dev/.npm/_logs"}) {
        machine.directory(name);
    }
    path("/home/dev/.npm/_logs/a", PathIntent::create, "npm", 1, true);
    path("/home/dev/.npm/_cacache/tmp/a", PathIntent::create, "node", 2, true);
    BOOST_TEST(remarks(learned()).size() == 2U);
    path("/home/dev/.npm/_cacache", PathIntent::create, "npm", 1, true);
    CHECK_LINES(remarks(learned()), {"~/.npm: what CMD changed in it is lost at the end; --rw ~/.npm keeps it | "
                                     "node npm 4x 1/1"});
    Learned kept;
    kept.lines = {{LearnedLine::Kind::read_write,
                   "~/.npm",
                   {.writable = true, .is_directory = true, .path = "/home/dev/.npm", .dest = {}},
                   {}}};
    BOOST_TEST(join(kept, learned(), places()).remarks.empty());
}

BOOST_AUTO_TEST_CASE(the_limits_that_a_runtime_looks_for_are_one_remark) {
    for (const char* name : {"memory.max", "memory.high"}) {
        machine.file(std::string("/sys/fs/cgroup/") + name);
        path(std::string("/sys/fs/cgroup/") + name, PathIntent::read, "node");
    }
    BOOST_TEST(lines(learned()).empty());
    CHECK_LINES(remarks(learned()), {"/sys/fs/cgroup: the machine's limits, which programs do without; --ro "
                                     "/sys/fs/cgroup shows it | node 2x 1/1"});
}

BOOST_AUTO_TEST_CASE(a_directory_that_was_looked_at_is_granted_where_nothing_in_it_was_asked_for) {
    machine.directory("/srv/data/empty");
    machine.file("/srv/data/way/on/file");
    machine.file("/srv/certs/server.pem");
    for (const char* name : {"/srv/data", "/srv/data/way", "/srv/data/way/on", "/srv/data/empty", "/srv/certs"}) {
        path(name, PathIntent::look, "ls");
    }
    path("/srv/data/way/on/file");
    CHECK_LINES(lines(learned()), {"ro /srv/data/empty | ls 1x 1/1", "ro /srv/data/way/on/file | cat 1x 1/1"});
    CHECK_LINES(remarks(learned()),
                {"/srv/certs: a directory that was looked at; --ro /srv/certs shows it with all that "
                 "it holds | ls 1x 1/1"});
}

BOOST_AUTO_TEST_CASE(what_works_is_nothing) {
    path("/home/dev/project/x", PathIntent::create);
    path("/usr/bin/true", PathIntent::execute);
    BOOST_CHECK(lines(learned()).empty());
    BOOST_CHECK(remarks(learned()).empty());
}

BOOST_AUTO_TEST_CASE(a_system_call_is_allowed_where_that_helps) {
    call("ptrace");
    call("ptrace");
    call("bpf");
    call("socket", {.rule = true, .capability = "", .advice = ""});
    call("chroot", {.rule = false, .capability = "SYS_CHROOT", .advice = ""});
    call("keyctl", {.rule = false, .capability = "", .advice = "not advised"});
    call("no_such_call\n", {.rule = false, .capability = "", .advice = "no profile can name it"});
    CHECK_LINES(lines(learned()), {"call bpf | gdb 4x 1/1", "call chroot | gdb 4x 1/1", "call ptrace | gdb 8x 1/1",
                                   "rule socket | gdb 4x 1/1", "cap SYS_CHROOT | gdb 4x 1/1"});
    CHECK_LINES(remarks(learned()),
                {"keyctl: not advised | gdb 4x 1/1", "no_such_call\\n: no profile can name it | gdb 4x 1/1"});
}

BOOST_AUTO_TEST_CASE(a_secret_that_was_looked_at_is_told_once) {
    const char* const reason = ": it was looked at, and is hidden | 0x 1/1";
    seen.hidden = {"/home/dev/.aws", "/home/dev/.ssh"};
    CHECK_LINES(remarks(learned()), {std::string("secret ~/.aws") + reason, std::string("secret ~/.ssh") + reason});
    machine.file("/home/dev/.ssh/id_rsa");
    path("/home/dev/.ssh/id_rsa", PathIntent::read);
    BOOST_TEST(remarks(learned()).size() == 2U);
    BOOST_TEST(remarks(learned()).front() == std::string("secret ~/.aws") + reason);
    BOOST_TEST(remarks(learned()).back().starts_with("secret ~/.ssh/id_rsa: "));
}

BOOST_AUTO_TEST_CASE(a_name_of_the_network_is_allowed_and_metadata_is_not) {
    seen.names = {{"Example.ORG.", 443, "curl", 1},
                  {"example.org", 443, "", 2},
                  {"example.org", 0, "", 1},
                  {"2001:db8::1", 22, "", 1},
                  {"192.0.2.7", 80, "", 1},
                  {"169.254.169.254", 80, "", 1},
                  {"fe80::1", 80, "", 1},
                  {"metadata.google.internal", 80, "", 1},
                  {"a b\n", 1, "", 1}};
    CHECK_LINES(lines(learned()), {"net 192.0.2.7:80 | 1x 1/1", "net [2001:db8::1]:22 | 1x 1/1",
                                   "net example.org | 1x 1/1", "net example.org:443 | curl 3x 1/1"});
    BOOST_CHECK_EQUAL(learned().remarks.size(), 4U);
    for (const LearnedRemark& remark : learned().remarks) {
        BOOST_CHECK(remark.is_secret == (remark.reason != "it is no name of a host"));
    }
}

BOOST_AUTO_TEST_CASE(a_name_that_the_list_does_not_take_is_told_and_not_granted) {
    seen.names = {
        {"localhost", 0, "", 1}, {"1.2.3", 0, "", 1}, {"-a.b", 0, "", 1}, {"--", 0, "", 1}, {"a.example", 0, "", 1}};
    CHECK_LINES(lines(learned()), {"net a.example | 1x 1/1"});
    BOOST_CHECK_EQUAL(learned().remarks.size(), 4U);
}

BOOST_AUTO_TEST_CASE(there_are_few_lines_however_much_was_seen) {
    for (int i = 0; i < 60; ++i) {
        const std::string directory = "/srv/wide/" + std::to_string(i % 30);
        machine.file(directory + "/" + std::to_string(i));
        path(directory + "/" + std::to_string(i));
    }
    // Two files in each of thirty directories: no room for all, so the directory that holds them.
    CHECK_LINES(lines(learned()), {"ro /srv/wide | cat 60x 1/1"});
    for (int i = 0; i < 40; ++i) {
        const std::string name = "/home/dev/file" + std::to_string(i);
        machine.file(name);
        path(name, PathIntent::read, "cat", static_cast<std::uint64_t>(i + 1));
    }
    const Learned made = learned();
    BOOST_CHECK_EQUAL(made.lines.size(), kMostLearnedLines);
    BOOST_CHECK_EQUAL(made.lines_left_out, 41 - kMostLearnedLines);
    BOOST_CHECK_LE(made.lines.size() + kMostLearnedRemarks, 30U);
    // The home's files are never the home; those that were seen most stay.
    const auto holds = [&](const std::string& word) {
        return std::ranges::any_of(made.lines, [&](const LearnedLine& line) { return line.word == word; });
    };
    BOOST_CHECK(holds("~/file39"));
    BOOST_CHECK(!holds("~/file0"));
}

BOOST_AUTO_TEST_CASE(lines_are_sorted_by_kind_and_path) {
    for (const char* name : {"/srv/b", "/srv/a-b", "/srv/a/c", "/home/dev/.z"}) {
        machine.file(name);
        path(name);
    }
    path("/srv/b", PathIntent::write);
    call("ptrace");
    Lines words;
    for (const LearnedLine& line : learned().lines) {
        words.push_back(line.word);
    }
    CHECK_LINES(words, {"~/.z", "/srv/a/c", "/srv/a-b", "/srv/b", "ptrace"});
}

BOOST_AUTO_TEST_CASE(a_name_that_no_profile_can_hold_is_a_remark) {
    machine.file("/srv/\xff");
    path("/srv/\xff");
    BOOST_CHECK(lines(learned()).empty());
    CHECK_LINES(remarks(learned()),
                {"/srv/\\xff: its name is no UTF-8: no profile can hold it, only an option | cat 1x 1/1"});
}

BOOST_AUTO_TEST_CASE(few_programs_are_named) {
    machine.file("/srv/x");
    for (const char* program : {"f", "e", "d", "c", "b", "a"}) {
        path("/srv/x", PathIntent::read, program);
    }
    CHECK_LINES(lines(learned()), {"ro /srv/x | a b c d others 6x 1/1"});
}

BOOST_AUTO_TEST_CASE(joined_runs_count_in_how_many_a_line_was_seen) {
    for (const char* name : {"/srv/a", "/srv/b", "/srv/c"}) {
        machine.file(name);
    }
    path("/srv/a");
    path("/srv/b");
    path("/home/dev/.ssh/id_ed25519");
    const Learned first = learned();
    seen = {};
    path("/srv/b", PathIntent::write, "vi", 5);
    path("/srv/c");
    path("/home/dev/.ssh/id_ed25519");
    const Learned both = join(first, learned(), places());
    CHECK_LINES(lines(both), {"ro /srv/a | cat 1x 1/2", "ro /srv/c | cat 1x 1/2", "rw /srv/b | cat vi 6x 2/2"});
    BOOST_REQUIRE_EQUAL(both.remarks.size(), 1U);
    BOOST_CHECK_EQUAL(both.remarks[0].seen.runs, 2U);
    seen = {};
    path("/srv/a");
    const Learned three = join(both, learned(), places());
    CHECK_LINES(lines(three), {"ro /srv/a | cat 2x 2/3", "ro /srv/c | cat 1x 1/3", "rw /srv/b | cat vi 6x 2/3"});
}

BOOST_AUTO_TEST_CASE(files_of_several_runs_become_their_directory_too) {
    files("/srv/data", 2);
    const Learned first = learned();
    seen = {};
    for (const char* name : {"/srv/data/a", "/srv/data/b"}) {
        machine.file(name);
        path(name);
    }
    CHECK_LINES(lines(join(first, learned(), places())), {"ro /srv/data | cat 4x 2/2"});
    CHECK_LINES(lines(join(first, first, places())), {"ro /srv/data/0 | cat 2x 2/2", "ro /srv/data/1 | cat 2x 2/2"});
}

BOOST_AUTO_TEST_CASE(a_grant_at_another_place_does_not_show_the_files_own) {
    ro("/srv/data:/mnt/data");
    machine.file("/srv/data/x");
    path("/mnt/data/new", PathIntent::create);
    path("/srv/data/x");
    CHECK_LINES(lines(learned()), {"ro /srv/data/x | cat 1x 1/1", "rw /srv/data:/mnt/data | cat 1x 1/1"});
}

BOOST_AUTO_TEST_CASE(a_line_of_a_persons_stays_where_there_are_too_many) {
    Learned earlier;
    LearnedLine& mine = earlier.lines.emplace_back();
    mine.word = "~/mine";
    mine.path.path = "/home/dev/mine";
    for (int i = 0; i < 40; ++i) {
        const std::string name = "/home/dev/file" + std::to_string(i);
        machine.file(name);
        path(name);
    }
    const Learned both = join(earlier, learned(), places());
    BOOST_CHECK_EQUAL(both.lines.size(), kMostLearnedLines);
    BOOST_CHECK(std::ranges::find(both.lines, "~/mine", &LearnedLine::word) != both.lines.end());
}

BOOST_AUTO_TEST_SUITE_END()
