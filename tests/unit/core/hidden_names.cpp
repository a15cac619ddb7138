#include "core/hidden_names.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <filesystem>

namespace fs = std::filesystem;
using namespace sandbox;

namespace {

/// A home and a directory for the second names, and what the plan says of them. /tmp may be mounted noatime.
struct Planted {
    fs::path top = [] {
        std::string name = (fs::path("/dev/shm") / "hidden-names.XXXXXX").string();
        return fs::path(::mkdtemp(name.data()));
    }();
    fs::path home = top / "home";
    HiddenNames names;
    hidden_names::Places places;
    StepReporter failure{-1};

    Planted() {
        fs::create_directory(home);
        fs::create_directory(top / hidden_names::kSecondNames);
        fs::create_directory(top / "host");
        names.home = home;
        names.directories = {home / ".sandbox", home / ".config"};
        for (const char* name : {".ssh", ".config/gh", ".npmrc"}) {
            const fs::path host = top / "host" / fs::path(name).filename();
            fs::create_directory(host);
            names.list.push_back({.name = std::string("~/") + name,
                                  .source = host,
                                  .path = home / name,
                                  .target = home / ".sandbox" / fs::path(name).filename(),
                                  .is_directory = std::string(name) != ".npmrc"});
        }
        places.home.reset(::open(home.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
        places.second.reset(::open((top / hidden_names::kSecondNames).c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
        hidden_names::make_directories(places, names, {.uid = ::geteuid(), .gid = ::getegid()}, failure);
    }
    Planted(const Planted&) = delete;
    Planted& operator=(const Planted&) = delete;
    ~Planted() { fs::remove_all(top); }

    void plant() const { hidden_names::plant(places, names, failure); }
    [[nodiscard]] std::vector<std::string> looked_at() const {
        const Fd stage(::open(top.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
        return hidden_names::looked_at(stage.get(), names);
    }
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(hidden_names_links, Planted)

BOOST_AUTO_TEST_CASE(a_walk_is_told_and_nothing_else_is) {
    plant();
    BOOST_TEST(looked_at().empty());
    BOOST_TEST(fs::is_directory(home / ".config/gh"));
    const std::vector<std::string> told = looked_at();
    BOOST_REQUIRE(told.size() == 1);
    BOOST_TEST(told.front() == "~/.config/gh");
}

BOOST_AUTO_TEST_CASE(what_the_host_does_not_have_is_not_told) {
    plant();
    fs::remove(top / "host/gh");
    BOOST_TEST(fs::is_directory(home / ".config/gh"));
    BOOST_TEST(fs::is_directory(home / ".ssh"));
    BOOST_TEST((looked_at() == std::vector<std::string>{"~/.ssh"}));
}

BOOST_AUTO_TEST_CASE(a_name_that_somebody_took_meanwhile_stays_his) {
    fs::create_directory(home / ".npmrc");
    plant();
    BOOST_TEST(!fs::is_symlink(home / ".npmrc"));
    BOOST_TEST(fs::is_symlink(home / ".ssh"));
}

BOOST_AUTO_TEST_CASE(a_link_in_the_way_is_not_followed) {
    const fs::path elsewhere = top / "elsewhere";
    fs::create_directory(elsewhere);
    fs::remove(home / ".config");
    fs::create_directory_symlink(elsewhere, home / ".config");
    plant();
    BOOST_TEST(fs::is_empty(elsewhere));
    BOOST_TEST(fs::is_symlink(home / ".ssh"));
}

BOOST_AUTO_TEST_CASE(links_that_were_not_all_planted_tell_nothing) {
    plant();
    fs::remove(top / hidden_names::kSecondNames / "end");
    BOOST_TEST(fs::is_directory(home / ".ssh"));
    BOOST_TEST(looked_at().empty());
}

BOOST_AUTO_TEST_SUITE_END()
