// The cache of compiled filters: it saves time and is never believed where it should not be.
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <boost/test/unit_test.hpp>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <string>
#include <vector>

#include "core/plan/seccomp_plan.hpp"
#include "core/seccomp.hpp"
#include "core/seccomp_entry.hpp"
#include "core/seccomp_marks.hpp"
#include "tests/support/count.hpp"
#include "tests/support/seccomp_words.hpp"

using namespace sandbox;
using namespace sandbox::test;
namespace fs = std::filesystem;

namespace {

SeccompPlan a_plan(const char* denied = "bpf") {
    return plan_seccomp(filter("deny", {"@system-service"}, {denied, "clone3"}));
}

std::string bytes_of(const seccomp::Program& program) {
    return {reinterpret_cast<const char*>(program.instructions.data()),
            program.instructions.size() * sizeof(sock_filter)};
}

std::string read_file(const fs::path& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

void write_file(const fs::path& path, const std::string& content) {
    std::ofstream(path, std::ios::binary | std::ios::trunc) << content;
    ::chmod(path.c_str(), 0600);
}

/// A data directory of its own, and what the plan compiles to.
struct Cache {
    fs::path base;
    fs::path data;
    SeccompPlan plan = a_plan();
    std::string wanted = bytes_of(seccomp::compile(plan));

    Cache() {
        std::string pattern = (fs::temp_directory_path() / "seccomp-cache-XXXXXX").string();
        BOOST_TEST_REQUIRE(::mkdtemp(pattern.data()) != nullptr);
        base = pattern;
        data = base / "share" / "sandbox";
    }
    Cache(const Cache&) = delete;
    Cache& operator=(const Cache&) = delete;
    ~Cache() { fs::remove_all(base); }

    /// A program that no plan of these tests compiles to: where it comes back, it came from an entry.
    [[nodiscard]] static seccomp::Program other_program() {
        return {.instructions = {BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0), BPF_STMT(BPF_RET | BPF_K, 42)}};
    }
    std::string other = bytes_of(other_program());
    /// It as a right entry of the plan.
    [[nodiscard]] std::string other_entry() const { return seccomp::encoded(seccomp::key_of(plan), other_program()); }

    [[nodiscard]] std::string loaded() const { return bytes_of(seccomp::load_or_compile(plan, data).plain); }

    [[nodiscard]] std::vector<fs::path> entries() const {
        std::vector<fs::path> found;
        for (const auto& entry : fs::directory_iterator(data / "seccomp")) {
            found.push_back(entry.path());
        }
        return found;
    }
    /// The only entry.
    [[nodiscard]] fs::path entry() const {
        const auto found = entries();
        BOOST_TEST_REQUIRE(found.size() == 1U);
        return found[0];
    }
};

/// An entry is replaced where its inode is another afterwards.
ino_t inode(const fs::path& path) {
    struct stat status {};
    return ::lstat(path.c_str(), &status) == 0 ? status.st_ino : 0;
}

mode_t mode(const fs::path& path) {
    struct stat status {};
    return ::lstat(path.c_str(), &status) == 0 ? status.st_mode & ALLPERMS : 0;
}

} // namespace

BOOST_FIXTURE_TEST_SUITE(seccomp_cache, Cache)

BOOST_AUTO_TEST_CASE(the_first_run_writes_an_entry_and_the_next_leaves_it_alone) {
    BOOST_TEST((loaded() == wanted));
    const ino_t first = inode(entry());
    BOOST_TEST((loaded() == wanted));
    BOOST_TEST(inode(entry()) == first);
}

BOOST_AUTO_TEST_CASE(the_program_comes_from_the_entry) {
    static_cast<void>(loaded());
    write_file(entry(), other_entry());
    BOOST_TEST((loaded() == other));
}

BOOST_AUTO_TEST_CASE(directories_and_entries_are_the_callers_alone) {
    static_cast<void>(loaded());
    BOOST_TEST(mode(data) == 0700U);
    BOOST_TEST(mode(data / "seccomp") == 0700U);
    BOOST_TEST(mode(entry()) == 0600U);
}

BOOST_AUTO_TEST_CASE(an_entry_is_the_callers_alone_whatever_the_umask) {
    const mode_t before = ::umask(0);
    static_cast<void>(loaded());
    ::umask(before);
    BOOST_TEST(mode(data / "seccomp") == 0700U);
    BOOST_TEST(mode(entry()) == 0600U);
}

BOOST_AUTO_TEST_CASE(every_plan_has_its_own_entry) {
    static_cast<void>(loaded());
    const SeccompPlan changed[] = {a_plan("ptrace"),
                                   plan_seccomp(filter("kill", {"@system-service"}, {"bpf", "clone3"})),
                                   plan_seccomp(filter("deny", {"@system-service"}, {"bpf", "clone3"},
                                                       {rule({"socket"}, "deny", {when(0, "==", {"AF_VSOCK"})})})),
                                   plan_seccomp(filter("deny", {"@system-service"}, {"bpf", "clone3"},
                                                       {rule({"socket"}, "deny", {when(0, "==", {"AF_ALG"})})}))};
    for (const SeccompPlan& another : changed) {
        BOOST_TEST((bytes_of(seccomp::load_or_compile(another, data).plain) == bytes_of(seccomp::compile(another))));
    }
    BOOST_TEST(entries().size() == 1 + std::size(changed));
    BOOST_TEST((loaded() == wanted));
}

BOOST_AUTO_TEST_CASE(origins_do_not_matter) {
    static_cast<void>(loaded());
    plan.entries[0].origin.line = 99;
    static_cast<void>(loaded());
    BOOST_TEST(entries().size() == 1U);
}

// Each of these makes the entry one that is not to be believed; before, it held a program that would be noticed.
BOOST_AUTO_TEST_CASE(an_entry_that_is_not_to_be_believed_is_replaced) {
    const struct {
        const char* name;
        std::function<void(const fs::path&)> spoil;
    } ways[] = {
        {"a symbolic link to a right entry",
         [&](const fs::path& file) {
             fs::rename(file, base / "elsewhere");
             fs::create_symlink(base / "elsewhere", file);
         }},
        {"a second hard link", [&](const fs::path& file) { fs::create_hard_link(file, base / "second"); }},
        {"writable for the group", [](const fs::path& file) { ::chmod(file.c_str(), 0620); }},
        {"readable for others", [](const fs::path& file) { ::chmod(file.c_str(), 0604); }},
        {"set-user-id", [](const fs::path& file) { ::chmod(file.c_str(), 04600); }},
        {"cut by a byte", [](const fs::path& file) { fs::resize_file(file, fs::file_size(file) - 1); }},
        {"cut by an instruction",
         [](const fs::path& file) { fs::resize_file(file, fs::file_size(file) - sizeof(sock_filter)); }},
        {"empty", [](const fs::path& file) { fs::resize_file(file, 0); }},
        {"a byte longer", [](const fs::path& file) { write_file(file, read_file(file) + '\0'); }},
        {"far longer", [](const fs::path& file) { fs::resize_file(file, std::uintmax_t{1} << 40); }},
        {"a fifo",
         [](const fs::path& file) {
             fs::remove(file);
             ::mkfifo(file.c_str(), 0600);
         }},
        {"another plan's entry",
         [&](const fs::path& file) {
             const SeccompPlan another = a_plan("ptrace");
             write_file(file, seccomp::encoded(seccomp::key_of(another), seccomp::compile(another)));
         }},
        {"another version's entry",
         [&](const fs::path& file) {
             std::string key = seccomp::key_of(plan);
             key[key.find_first_of("0123456789")] ^= 1;
             write_file(file, seccomp::encoded(key, other_program()));
         }},
        {"a program that the kernel would not take",
         [&](const fs::path& file) {
             seccomp::Program program = other_program();
             program.instructions[0] = BPF_STMT(BPF_JMP | BPF_JA, 5000);
             write_file(file, seccomp::encoded(seccomp::key_of(plan), program));
         }},
        {"an empty program",
         [&](const fs::path& file) { write_file(file, seccomp::encoded(seccomp::key_of(plan), {})); }},
    };
    for (const auto& way : ways) {
        fs::remove_all(data);
        fs::remove(base / "second");
        static_cast<void>(loaded());
        const fs::path file = entry();
        write_file(file, other_entry());
        BOOST_TEST_REQUIRE((loaded() == other), way.name);
        way.spoil(file);
        BOOST_TEST((loaded() == wanted), way.name);
        // What stands there now is whole again.
        BOOST_TEST((fs::is_regular_file(fs::symlink_status(file)) && mode(file) == 0600U), way.name);
        BOOST_TEST((read_file(file) == seccomp::encoded(seccomp::key_of(plan), seccomp::compile_marked(plan))),
                   way.name);
    }
}

BOOST_AUTO_TEST_CASE(no_bit_of_an_entry_can_flip_unseen) {
    const std::string key = seccomp::key_of(plan);
    const std::string whole = other_entry();
    BOOST_TEST_REQUIRE(seccomp::decoded(whole, key).has_value());
    int unseen = 0;
    for (std::size_t i = 0; i < whole.size(); ++i) {
        for (int bit = 0; bit < 8; ++bit) {
            std::string damaged = whole;
            damaged[i] = static_cast<char>(damaged[i] ^ (1 << bit));
            unseen += seccomp::decoded(damaged, key).has_value() ? 1 : 0;
        }
    }
    BOOST_TEST(unseen == 0);
}

BOOST_AUTO_TEST_CASE(an_entry_in_a_directory_that_others_may_write_is_not_read) {
    for (const char* loose : {"share/sandbox", "share/sandbox/seccomp"}) {
        for (const mode_t open_to : {0770U, 0707U, 0755U, 01700U}) {
            fs::remove_all(data);
            static_cast<void>(loaded());
            write_file(entry(), other_entry());
            ::chmod((base / loose).c_str(), open_to);
            BOOST_TEST((loaded() == wanted), loose << " " << open_to);
        }
    }
}

BOOST_AUTO_TEST_CASE(a_linked_directory_is_not_used) {
    static_cast<void>(loaded());
    write_file(entry(), other_entry());
    for (const fs::path& linked : {data / "seccomp", data}) {
        fs::rename(linked, base / "moved");
        fs::create_directory_symlink(base / "moved", linked);
        BOOST_TEST((loaded() == wanted), linked);
        fs::remove(linked);
        fs::rename(base / "moved", linked);
    }
}

BOOST_AUTO_TEST_CASE(an_entry_or_directory_of_another_user_is_not_used) {
    NEEDS(::geteuid() == 0, "only root can give a file away");
    static_cast<void>(loaded());
    for (const fs::path& given : {entry(), data / "seccomp", data}) {
        write_file(entry(), other_entry());
        BOOST_TEST_REQUIRE((loaded() == other), given);
        BOOST_TEST_REQUIRE(::chown(given.c_str(), 65534, 65534) == 0);
        BOOST_TEST((loaded() == wanted), given);
        if (fs::exists(given)) {
            BOOST_TEST_REQUIRE(::chown(given.c_str(), 0, 0) == 0);
        }
    }
}

BOOST_AUTO_TEST_CASE(a_cache_that_cannot_be_made_costs_nothing_but_time) {
    for (const char* impossible : {"", "/proc/nothing/sandbox", "/dev/null/sandbox"}) {
        BOOST_TEST((bytes_of(seccomp::load_or_compile(plan, impossible).plain) == wanted), impossible);
    }
}

BOOST_AUTO_TEST_CASE(a_directory_in_the_place_of_an_entry_is_survived) {
    static_cast<void>(loaded());
    const fs::path file = entry();
    fs::remove(file);
    fs::create_directories(file / "full");
    BOOST_TEST((loaded() == wanted));
}

BOOST_AUTO_TEST_CASE(a_full_disk_leaves_nothing) {
    BOOST_TEST_REQUIRE(fs::create_directories(data));
    fs::permissions(data, fs::perms::owner_all);
    const pid_t child = ::fork();
    BOOST_TEST_REQUIRE(child >= 0);
    if (child == 0) {
        // A file may grow to this size and no further: write(2) fails half-way, as it does on a full disk.
        ::signal(SIGXFSZ, SIG_IGN);
        const rlimit limit = {.rlim_cur = 4096, .rlim_max = 4096};
        ::setrlimit(RLIMIT_FSIZE, &limit);
        // memfd_create counts as a file too, so the compiled program must come before.
        const bool same = bytes_of(seccomp::load_or_compile(plan, data).plain) == wanted;
        ::_exit(same ? 0 : 1);
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    BOOST_TEST((WIFEXITED(status) && WEXITSTATUS(status) == 0));
    BOOST_TEST(entries().empty());
}

BOOST_AUTO_TEST_CASE(no_more_than_64_entries_are_kept_and_the_oldest_go) {
    static_cast<void>(loaded());
    const fs::path first = entry();
    fs::last_write_time(first, fs::file_time_type::clock::now() - std::chrono::hours(1));
    write_file(data / "seccomp" / "note", "not ours");
    constexpr int kMore = 70;
    for (int i = 0; i < kMore; ++i) {
        const std::string value = std::to_string(i);
        static_cast<void>(seccomp::load_or_compile(
            plan_seccomp(filter("deny", {"execve"}, {}, {rule({"socket"}, "allow", {when(0, "==", {value.c_str()})})})),
            data));
    }
    BOOST_TEST(entries().size() == 65U); // and what is not an entry
    BOOST_TEST(!fs::exists(first));
    BOOST_TEST(fs::exists(data / "seccomp" / "note"));
}

BOOST_AUTO_TEST_CASE(many_at_once_all_get_the_right_program) {
    constexpr int kProcesses = 16;
    std::vector<pid_t> children;
    for (int i = 0; i < kProcesses; ++i) {
        const pid_t child = ::fork();
        BOOST_TEST_REQUIRE(child >= 0);
        if (child == 0) {
            bool same = true;
            for (int round = 0; round < 20; ++round) {
                same = same && loaded() == wanted;
                if (round % 5 == i % 5) {
                    std::error_code gone;
                    for (const auto& each : fs::directory_iterator(data / "seccomp", gone)) {
                        fs::remove(each.path(), gone);
                    }
                }
            }
            ::_exit(same ? 0 : 1);
        }
        children.push_back(child);
    }
    for (const pid_t child : children) {
        int status = 0;
        ::waitpid(child, &status, 0);
        BOOST_TEST((WIFEXITED(status) && WEXITSTATUS(status) == 0));
    }
    BOOST_TEST((loaded() == wanted));
    BOOST_TEST(entries().size() == 1U);
}

BOOST_AUTO_TEST_SUITE_END()
