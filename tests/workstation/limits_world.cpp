#include "tests/workstation/limits_world.hpp"

#include <signal.h>

#include <boost/test/unit_test.hpp>
#include <chrono>
#include <filesystem>
#include <sstream>
#include <thread>

namespace fs = std::filesystem;

namespace sandbox::test {

namespace {

/// The last of the numbers that `hog` told.
long reached(const Result& result) {
    std::istringstream lines(result.out);
    long last = 0;
    for (long number = 0; lines >> number;) {
        last = number;
    }
    return last;
}

} // namespace

Words cgroups() {
    Words found;
    std::error_code error;
    for (fs::recursive_directory_iterator entry("/sys/fs/cgroup", error), end; entry != end; entry.increment(error)) {
        const std::string name = entry->path().filename();
        const bool is_ours = name.starts_with("keeper-") || name.starts_with("sandbox-");
        if (is_ours && name != "sandbox-tests.service") {
            found.push_back(entry->path());
        }
    }
    return found;
}

bool settles(const std::function<bool()>& holds) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    while (!holds() && std::chrono::steady_clock::now() < deadline) {
        std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
    return holds();
}

nlohmann::json stats(const Result& result) {
    const std::size_t start = result.err.find("{\"wall_usec\"");
    BOOST_REQUIRE_MESSAGE(start != std::string::npos, result.err);
    return nlohmann::json::parse(result.err.substr(start, result.err.find('\n', start) - start));
}

Limits::Limits() {
    BOOST_REQUIRE(settles([] { return cgroups().empty(); }));
}

Limits::~Limits() {
    expect_nothing_left();
}

void Limits::expect_nothing_left() const {
    const bool gone = settles([] { return cgroups().empty(); });
    std::string left;
    for (const std::string& cgroup : gone ? Words() : cgroups()) {
        left += cgroup + sh("cd '" + cgroup + "' && cat cgroup.events cgroup.procs").out;
    }
    BOOST_TEST(
        gone,
        left << (gone ? "" : sh("ps -eo pid,ppid,stat,etimes,wchan:30,args; systemctl --user status --no-pager").out));
}

Words Limits::with_hog(Words options, const Words& words) {
    options.insert(options.end(), {"--ro", probe_directory(), "--", probe("hog")});
    options.insert(options.end(), words.begin(), words.end());
    return options;
}

Result Limits::hog(Words options, const Words& words) const {
    Options how = here();
    how.watchdog = std::chrono::minutes(10); // it touches hundreds of MiB, in a slow machine
    return sandbox(with_hog(std::move(options), words), how);
}

Process Limits::waiting(Words options) const {
    options.insert(options.begin(), sandbox_program());
    options.insert(options.end(), {"--", "sh", "-c", "echo ready; read word; echo $word"});
    Options how = here();
    how.keep_input_open = true;
    how.watchdog = std::chrono::minutes(10); // it waits while others run, in a slow machine
    Process running(options, how);
    BOOST_REQUIRE_MESSAGE(running.wait_for("ready\n"), running.so_far().err);
    return running;
}

void Limits::expect_killed_at(const std::string& limit, long mebibytes, const Result& ended) {
    BOOST_TEST(ended.status == 128 + SIGKILL, ended);
    BOOST_TEST(ended.said("was killed: it reached its memory limit of " + std::to_string(mebibytes) +
                          " MiB (--memory " + limit + ")"),
               ended);
    BOOST_TEST(reached(ended) >= mebibytes * 9 / 10, ended.err);
    BOOST_TEST(reached(ended) <= mebibytes, ended.err);
}

void Limits::expect_refused(const Result& refused, const std::string& cause) {
    BOOST_TEST(refused.status == 125, refused);
    BOOST_TEST(refused.said("--memory 64m: cannot limit memory to 64 MiB"), refused);
    BOOST_TEST(refused.said("cause: " + cause), refused);
    BOOST_TEST(refused.said("fix: "), refused);
    BOOST_TEST(refused.out.empty(), refused);
}

} // namespace sandbox::test
