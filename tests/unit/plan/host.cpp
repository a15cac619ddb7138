// The one part of core/plan that asks the kernel.
#include <boost/test/unit_test.hpp>

#include <pwd.h>
#include <sys/fsuid.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <optional>

#include "core/base/error.hpp"
#include "core/base/fd.hpp"
#include "core/plan/host.hpp"
#include "core/plan/host_paths.hpp"
#include "core/plan/host_users.hpp"

using namespace sandbox;
namespace fs = std::filesystem;

namespace {

/// A directory of its own with a small tree, gone at the end.
struct Files {
    Files() {
        std::string pattern = "/tmp/sandbox-host-XXXXXX";
        top = fs::canonical(::mkdtemp(pattern.data()));
        fs::create_directories(top / "real/deep");
        std::ofstream(top / "real/file") << "x";
        fs::create_symlink("real", top / "relative");
        fs::create_symlink(top / "real", top / "absolute");
        fs::create_symlink("../relative/deep", top / "real/back");
        fs::create_symlink("loop", top / "loop");
        fs::create_symlink("nowhere", top / "dangling");
        ::mkfifo((top / "fifo").c_str(), 0600);
    }
    ~Files() {
        std::error_code ignored;
        fs::permissions(top / "real", fs::perms::owner_all, ignored);
        fs::remove_all(top, ignored);
    }
    Files(const Files&) = delete;
    Files& operator=(const Files&) = delete;

    [[nodiscard]] PathFact look_up(const std::string& path) const {
        return host::Walker().look_up(top.string() + path);
    }
    [[nodiscard]] std::string real(const std::string& path) const { return top.string() + path; }

    fs::path top;
};

/// Sets a variable, and puts it back.
class Variable {
public:
    Variable(const char* name, const char* value) : name_(name) {
        if (const char* before = std::getenv(name)) {
            before_ = before;
        }
        value == nullptr ? ::unsetenv(name) : ::setenv(name, value, 1);
    }
    ~Variable() { before_ ? ::setenv(name_, before_->c_str(), 1) : ::unsetenv(name_); }
    Variable(const Variable&) = delete;
    Variable& operator=(const Variable&) = delete;

private:
    const char* name_;
    std::optional<std::string> before_;
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(looking_up, Files)

BOOST_AUTO_TEST_CASE(kinds_are_told_apart) {
    BOOST_CHECK(look_up("/real").kind == PathFact::Kind::directory);
    BOOST_CHECK(look_up("/real/file").kind == PathFact::Kind::file);
    BOOST_CHECK(look_up("/fifo").kind == PathFact::Kind::other);
    BOOST_CHECK(host::Walker().look_up("/dev/null").kind == PathFact::Kind::device);
    BOOST_CHECK(host::Walker().look_up("/").kind == PathFact::Kind::directory);
    BOOST_CHECK_EQUAL(host::Walker().look_up("/").real, "/");
    BOOST_CHECK_EQUAL(host::Walker().look_up("/..//../").real, "/");
}

BOOST_AUTO_TEST_CASE(links_are_followed_and_kept) {
    const PathFact fact = look_up("/absolute/back/.");
    BOOST_CHECK(fact.kind == PathFact::Kind::directory);
    BOOST_CHECK_EQUAL(fact.real, real("/real/deep"));
    BOOST_REQUIRE_EQUAL(fact.links.size(), 3U);
    BOOST_CHECK((fact.links[0] == WalkedLink{real("/absolute"), real("/real")}));
    BOOST_CHECK((fact.links[1] == WalkedLink{real("/real/back"), "../relative/deep"}));
    BOOST_CHECK((fact.links[2] == WalkedLink{real("/relative"), "real"}));
}

BOOST_AUTO_TEST_CASE(dots_lead_where_the_kernel_goes) {
    BOOST_CHECK_EQUAL(look_up("/real/back/../file").real, real("/real/file"));
    BOOST_CHECK_EQUAL(look_up("//real/./deep//").real, real("/real/deep"));
    BOOST_CHECK_EQUAL(look_up("/real/file/..").error, ENOTDIR);
}

BOOST_AUTO_TEST_CASE(what_does_not_exist_is_resolved_as_far_as_it_goes) {
    const PathFact fact = look_up("/relative/no/such/../name");
    BOOST_CHECK(fact.kind == PathFact::Kind::absent);
    BOOST_CHECK_EQUAL(fact.error, ENOENT);
    BOOST_CHECK_EQUAL(fact.real, real("/real/no/name"));
    BOOST_CHECK_EQUAL(look_up("/dangling").real, real("/nowhere"));
    BOOST_CHECK_EQUAL(look_up("/dangling").error, ENOENT);
}

BOOST_AUTO_TEST_CASE(one_walker_answers_as_many) {
    host::Walker walker;
    for (const char* path :
         {"/real", "/real/deep", "/relative/back", "/real/file", "/real/deep/..", "/real/file/x", "/loop"}) {
        const PathFact alone = look_up(path);
        const PathFact again = walker.look_up(real(path));
        BOOST_CHECK_EQUAL(again.real, alone.real);
        BOOST_CHECK(again.kind == alone.kind && again.links == alone.links && again.error == alone.error);
    }
}

BOOST_AUTO_TEST_CASE(a_loop_ends) {
    BOOST_CHECK_EQUAL(look_up("/loop").error, ELOOP);
    BOOST_CHECK_EQUAL(look_up("/loop/x").error, ELOOP);
    BOOST_CHECK_LE(look_up("/loop").links.size(), 40U);
}

BOOST_AUTO_TEST_CASE(a_file_is_no_directory) {
    BOOST_CHECK_EQUAL(look_up("/real/file/x").error, ENOTDIR);
}

BOOST_AUTO_TEST_CASE(a_closed_directory_is_permission_denied) {
    fs::permissions(top / "real", fs::perms::none);
    // Root sees everything; as another user's file system id it does not.
    const int before = ::geteuid() == 0 ? ::setfsuid(65534) : -1;
    const PathFact fact = host::Walker().look_up(real("/real/file"));
    const bool writable = host::may_write(real("/real"));
    if (before >= 0) {
        ::setfsuid(static_cast<uid_t>(before));
    }
    BOOST_CHECK_EQUAL(fact.error, EACCES);
    BOOST_CHECK_EQUAL(fact.real, real("/real/file"));
    BOOST_CHECK(::geteuid() == 0 || !writable); // access(2) asks for the real uid
}

BOOST_AUTO_TEST_CASE(a_name_that_is_too_long_is_told) {
    BOOST_CHECK_EQUAL(look_up("/" + std::string(300, 'a')).error, ENAMETOOLONG);
}

BOOST_AUTO_TEST_CASE(a_directory_is_listed_with_its_sockets) {
    const Fd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    const std::string name = real("/real/deep/sock");
    BOOST_REQUIRE_LT(name.size(), sizeof address.sun_path);
    name.copy(address.sun_path, name.size());
    BOOST_REQUIRE_EQUAL(::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
    const auto has = [](const auto& entries, const char* wanted, bool is_socket) {
        return std::ranges::any_of(*entries, [&](const DirectoryEntry& entry) {
            return entry.name == wanted && entry.is_socket == is_socket;
        });
    };
    const auto below = host::list_directory(real("/real/deep"));
    BOOST_REQUIRE(below);
    BOOST_CHECK(has(below, "sock", true));
    const auto above = host::list_directory(real("/real"));
    BOOST_REQUIRE(above);
    BOOST_CHECK(has(above, "file", false));
    BOOST_CHECK(!has(above, ".", false) && !has(above, "..", false));
    BOOST_CHECK(!host::list_directory(real("/real/file")));
    BOOST_CHECK(!host::list_directory(real("/none")));
}

BOOST_AUTO_TEST_CASE(patterns_are_expanded_and_sorted) {
    const std::vector<std::string> wanted{real("/real/back"), real("/real/deep"), real("/real/file")};
    BOOST_CHECK(host::expand_glob(real("/real/*")) == wanted);
    BOOST_CHECK(host::expand_glob(real("/real/*.none")).empty());
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(gathering)

BOOST_AUTO_TEST_CASE(the_caller_is_who_the_system_says) {
    const Host host = gather_host();
    BOOST_CHECK_EQUAL(host.uid, ::getuid());
    BOOST_CHECK_EQUAL(host.gid, ::getgid());
    if (const passwd* entry = ::getpwuid(::getuid())) {
        BOOST_CHECK_EQUAL(host.user_name, entry->pw_name);
        BOOST_CHECK_EQUAL(host::find_user(::getuid()).home, entry->pw_dir);
    }
    BOOST_CHECK_EQUAL(host::find_user(4294967294U).name, "");
    BOOST_CHECK_EQUAL(host.cwd, fs::current_path().string());
    BOOST_CHECK_EQUAL(host.environment.contains("PATH"), std::getenv("PATH") != nullptr);
    BOOST_CHECK(host.look_up("/usr").kind == PathFact::Kind::directory);
    BOOST_CHECK(std::ranges::any_of(host.system_entries, [](const SystemEntry& entry) {
        return entry.path == "/usr" && entry.link_target.empty();
    }));
}

BOOST_AUTO_TEST_CASE(directories_follow_the_xdg_variables_where_they_are_absolute) {
    const Variable home("HOME", "/home/x/");
    const Variable config("XDG_CONFIG_HOME", "relative");
    const Variable data("XDG_DATA_HOME", "/data");
    const Variable runtime("XDG_RUNTIME_DIR", nullptr);
    const Host host = gather_host();
    BOOST_CHECK_EQUAL(host.home, "/home/x");
    BOOST_CHECK_EQUAL(host.config_dir, "/home/x/.config/sandbox");
    BOOST_CHECK_EQUAL(host.data_dir, "/data/sandbox");
    BOOST_CHECK_EQUAL(host.runtime_dir, "/run/user/" + std::to_string(::getuid()));
}

BOOST_AUTO_TEST_CASE(a_home_that_is_not_absolute_is_the_one_of_passwd) {
    const Variable home("HOME", "relative");
    if (const passwd* entry = ::getpwuid(::getuid())) {
        BOOST_CHECK_EQUAL(gather_host().home, entry->pw_dir);
    }
}

BOOST_AUTO_TEST_CASE(a_directory_without_a_name_is_empty) {
    const fs::path before = fs::current_path();
    std::string pattern = "/tmp/sandbox-gone-XXXXXX";
    fs::current_path(::mkdtemp(pattern.data()));
    fs::remove(pattern);
    const std::string cwd = gather_host().cwd;
    fs::current_path(before);
    BOOST_CHECK_EQUAL(cwd, "");
}

BOOST_AUTO_TEST_SUITE_END()
