// The registry of runs: a name is one run's, an entry is locked while its supervisor lives, what was left is cleared.
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <boost/test/unit_test.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include "core/base/error.hpp"
#include "core/base/file.hpp"
#include "core/run_registry.hpp"

namespace fs = std::filesystem;
using namespace sandbox;

namespace {

struct Place {
    Place() {
        std::string name = fs::temp_directory_path() / "sandbox-unit-XXXXXX";
        BOOST_REQUIRE(::mkdtemp(name.data()) != nullptr);
        top = name;
        registry = top / "sandbox/runs";
    }
    ~Place() {
        std::error_code ignored;
        fs::remove_all(top, ignored);
    }
    Place(const Place&) = delete;
    Place& operator=(const Place&) = delete;

    [[nodiscard]] fs::path entry(const std::string& name) const { return fs::path(registry) / name; }
    [[nodiscard]] std::vector<std::string> names() const {
        std::vector<std::string> names;
        for (const FoundRun& run : find_runs(registry)) {
            names.push_back(run.name);
        }
        return names;
    }
    /// As a supervisor that was killed leaves it.
    void leave(const std::string& name) const {
        fs::create_directories(entry(name));
        std::ofstream(entry(name) / kRecordFile) << "{}";
    }

    fs::path top;
    std::string registry;
};

mode_t mode_of(const fs::path& path) {
    struct stat status {};
    BOOST_REQUIRE(::stat(path.c_str(), &status) == 0);
    return status.st_mode & 07777;
}

std::string refusal(const std::function<void()>& act) {
    try {
        act();
    } catch (const Error& error) {
        return error.what();
    }
    return "";
}

} // namespace

BOOST_FIXTURE_TEST_SUITE(run_registry, Place)

BOOST_AUTO_TEST_CASE(a_name_is_made_of_letters_digits_dots_and_dashes) {
    for (const char* name : {"a", "Web-1", "3.14", "x.y-z"}) {
        BOOST_TEST(is_run_name(name), name);
    }
    for (const char* name : {"", ".", "..", ".a", "-a", "a/b", "a b", "a\n", "a_b"}) {
        BOOST_TEST(!is_run_name(name), name);
    }
    BOOST_TEST(is_run_name(std::string(64, 'a')));
    BOOST_TEST(!is_run_name(std::string(65, 'a')));
}

BOOST_AUTO_TEST_CASE(a_registry_that_is_not_there_is_empty_and_is_not_made_by_looking) {
    BOOST_TEST(names().empty());
    BOOST_TEST(!find_run(registry, "a").has_value());
    BOOST_TEST(!fs::exists(top / "sandbox"));
}

BOOST_AUTO_TEST_CASE(an_entry_is_there_as_long_as_its_run_and_its_owners_alone) {
    {
        const RunEntry run = RunEntry::with_name(registry, "web");
        BOOST_TEST(names() == std::vector<std::string>{"web"}, boost::test_tools::per_element());
        for (const fs::path& path : {top / "sandbox", fs::path(registry), entry("web")}) {
            BOOST_TEST(mode_of(path) == 0700);
        }
        const std::optional<FoundRun> found = find_run(registry, "web");
        BOOST_REQUIRE(found.has_value());
        BOOST_CHECK(supervisor_of(*found) == identify(::getpid()));
    }
    BOOST_TEST(names().empty());
    BOOST_TEST(!fs::exists(entry("web")));
}

BOOST_AUTO_TEST_CASE(two_runs_cannot_have_one_name) {
    const RunEntry run = RunEntry::with_name(registry, "web");
    BOOST_TEST(refusal([&] { RunEntry::with_name(registry, "web"); }).find("'web' runs already") != std::string::npos);
    BOOST_TEST(names().size() == 1);
}

BOOST_AUTO_TEST_CASE(made_names_are_after_the_command_and_differ) {
    const RunEntry first = RunEntry::with_made_name(registry, "/usr/bin/make");
    const RunEntry second = RunEntry::with_made_name(registry, "make");
    const RunEntry odd = RunEntry::with_made_name(registry, "/tmp/\n -../");
    BOOST_TEST(first.name().starts_with("make-"));
    BOOST_TEST(first.name() != second.name());
    for (const RunEntry* run : {&first, &second, &odd}) {
        BOOST_TEST(is_run_name(run->name()), run->name());
    }
}

BOOST_AUTO_TEST_CASE(what_a_killed_supervisor_left_is_cleared_and_its_name_can_be_had) {
    leave("one");
    leave("two");
    BOOST_TEST(names().empty());
    BOOST_TEST(!fs::exists(entry("one")));
    leave("one");
    const RunEntry run = RunEntry::with_name(registry, "one");
    BOOST_TEST(!fs::exists(entry("one") / kRecordFile));
}

BOOST_AUTO_TEST_CASE(clearing_one_run_leaves_the_next_of_its_name_alone) {
    leave("web");
    const FoundRun left{.name = "web", .directory = Fd(::open(entry("web").c_str(), O_RDONLY | O_DIRECTORY))};
    fs::remove_all(entry("web"));
    fs::create_directory(entry("web")); // another, of the same name
    clear_run(registry, left);
    BOOST_TEST(fs::exists(entry("web")));
    const FoundRun now{.name = "web", .directory = Fd(::open(entry("web").c_str(), O_RDONLY | O_DIRECTORY))};
    {
        const Fd lock(::open(entry("web").c_str(), O_RDONLY | O_DIRECTORY));
        BOOST_REQUIRE(::flock(lock.get(), LOCK_EX) == 0);
        clear_run(registry, now);
        BOOST_TEST(fs::exists(entry("web")));
    }
    clear_run(registry, now);
    BOOST_TEST(!fs::exists(entry("web")));
}

BOOST_AUTO_TEST_CASE(who_has_the_status_open_reads_it_behind_the_end) {
    Fd status;
    {
        const RunEntry run = RunEntry::with_name(registry, "web");
        status.reset(::open((entry("web") / kStatusFile).c_str(), O_RDONLY));
        run.tell_status("{\"status\": 3}");
    }
    std::string text;
    BOOST_TEST(read_all(status.get(), 100, text));
    BOOST_TEST(text == "{\"status\": 3}");
}

BOOST_AUTO_TEST_CASE(a_file_is_written_whole) {
    const RunEntry run = RunEntry::with_name(registry, "web");
    const std::optional<FoundRun> found = find_run(registry, "web");
    BOOST_REQUIRE(found.has_value());
    BOOST_TEST(!read_file_of(*found, kRecordFile, 100).has_value());
    run.write(kRecordFile, "record");
    BOOST_TEST(read_file_of(*found, kRecordFile, 100).value_or("") == "record");
    // A directory in its place: it is not taken for the file, and nothing is left half.
    BOOST_TEST(!refusal([&] { run.write("no/such", "x"); }).empty());
}

BOOST_AUTO_TEST_CASE(a_supervisor_is_not_read_from_what_is_no_identity) {
    for (const char* text : {"x", "1", "1.", ".5", "-3.7", "0.7", "1.2x", "99999999999999.1"}) {
        fs::create_directories(entry("odd"));
        fs::create_symlink(text, entry("odd") / kSupervisorLink);
        const FoundRun run{.name = "odd", .directory = Fd(::open(entry("odd").c_str(), O_RDONLY | O_DIRECTORY))};
        BOOST_TEST(!supervisor_of(run).has_value(), text);
        fs::remove_all(entry("odd"));
    }
}

BOOST_AUTO_TEST_CASE(a_registry_that_others_can_write_is_not_trusted) {
    fs::create_directories(registry);
    fs::permissions(top / "sandbox", fs::perms::all);
    BOOST_TEST(refusal([&] { static_cast<void>(find_runs(registry)); }).find("written by others") != std::string::npos);
    BOOST_TEST(refusal([&] { RunEntry::with_name(registry, "web"); }).find("written by others") != std::string::npos);
    fs::permissions(top / "sandbox", fs::perms::owner_all);
    BOOST_TEST(refusal([&] { static_cast<void>(find_runs(registry)); }).empty());
}

BOOST_AUTO_TEST_CASE(a_link_in_the_place_of_the_registry_is_not_followed) {
    fs::create_directories(top / "elsewhere/runs");
    fs::create_symlink("elsewhere", top / "sandbox");
    BOOST_TEST(!refusal([&] { static_cast<void>(find_runs(registry)); }).empty());
    BOOST_TEST(!refusal([&] { RunEntry::with_name(registry, "web"); }).empty());
    BOOST_TEST(fs::is_empty(top / "elsewhere/runs"));
}

BOOST_AUTO_TEST_CASE(a_runtime_directory_that_is_missing_is_not_made) {
    fs::remove_all(top);
    BOOST_TEST(refusal([&] { RunEntry::with_name(registry, "web"); }).find("log in") != std::string::npos);
    BOOST_TEST(!fs::exists(top));
    BOOST_TEST(names().empty());
}

BOOST_AUTO_TEST_CASE(a_runtime_directory_that_is_a_link_is_refused_with_the_reason) {
    fs::create_directory_symlink(top, top / "link");
    const std::string said = refusal([&] { RunEntry::with_name(top / "link/sandbox/runs", "web"); });
    BOOST_TEST(said.find("it is a symbolic link") != std::string::npos, said);
    BOOST_TEST(said.find("fix: set XDG_RUNTIME_DIR to what it leads to: readlink -f") != std::string::npos, said);
}

BOOST_AUTO_TEST_SUITE_END()
