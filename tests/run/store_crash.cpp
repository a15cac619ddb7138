// Imports that are cut off, and imports side by side.
#include <signal.h>

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <chrono>
#include <random>
#include <sstream>
#include <thread>
#include <vector>

#include "tests/support/count.hpp"
#include "tests/support/store_world.hpp"

using namespace sandbox::test;

namespace {

/// The worker process of an import; 0 where there is none (yet).
pid_t worker_of(pid_t program) {
    const std::string id = std::to_string(program);
    std::istringstream children(read_file("/proc/" + id + "/task/" + id + "/children"));
    pid_t worker = 0;
    children >> worker;
    return worker;
}

} // namespace

BOOST_FIXTURE_TEST_SUITE(store_crash, StoreWorld)

BOOST_AUTO_TEST_CASE(an_import_that_is_killed_at_any_of_100_moments_leaves_the_store_whole) {
    BOOST_TEST(import({"--name", "before", image("everything")}).status == 0);
    const std::filesystem::path layout = image("many-layers");
    const Words words = {sandboxctl_program(), "image", "import", "--name", "cut", layout};
    const auto start = std::chrono::steady_clock::now();
    BOOST_TEST(run(words, here()).status == 0); // how long it takes, and the control
    const auto length = std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::steady_clock::now() - start);
    BOOST_TEST(images({"remove", "cut"}).status == 0);
    const std::string without = listed();

    std::mt19937 random(20261128); // NOLINT: the same moments each time
    std::uniform_int_distribution<std::int64_t> moment(0, length.count() * 11 / 10);
    int cut_off = 0;
    for (int round = 0; round < rounds(100); ++round) {
        Process process(words, here());
        std::this_thread::sleep_for(std::chrono::microseconds(moment(random)));
        const pid_t worker = worker_of(process.pid());
        if (round % 2 == 0 || worker == 0) {
            process.signal(SIGKILL); // the worker goes with it
        } else {
            ::kill(worker, SIGKILL);
        }
        const Result ended = process.finish();
        const std::string now = listed();
        const bool is_there = now.find("library/cut:latest") != std::string::npos;
        BOOST_TEST((is_there || now == without), "round " << round << "\n" << now);
        cut_off += is_there ? 0 : 1;
        if (round % 10 == 9 || is_there) {
            const Result verified = images({"verify"});
            BOOST_TEST(verified.status == 0, "round " << round << verified);
        }
        if (is_there) {
            BOOST_TEST(images({"remove", "cut"}).status == 0);
        }
    }
    BOOST_TEST(cut_off > rounds(100) / 5); // else the moments were none
    BOOST_TEST(run(words, here()).status == 0);
    expect_whole();
}

BOOST_AUTO_TEST_CASE(imports_side_by_side_share_layers_and_lose_nothing) {
    std::vector<Process> running;
    const Words names = {"whiteouts", "order", "opaque-first", "hard-links", "many-layers", "same-name"};
    for (const std::string& name : names) {
        image(name);
    }
    for (int i = 0; i < 18; ++i) {
        const std::string& name = names[static_cast<std::size_t>(i) % names.size()];
        running.emplace_back(
            Words{sandboxctl_program(), "image", "import", "--name", name + ":" + std::to_string(i), made / name},
            here());
    }
    // And somebody who takes away what he can.
    for (int i = 0; i < 10; ++i) {
        const Result pruned = images({"prune"});
        BOOST_TEST(pruned.status == 0, pruned);
    }
    for (Process& process : running) {
        const Result ended = process.finish();
        BOOST_TEST(ended.status == 0, ended);
    }
    const std::string list = images({"list", "--quiet"}).out;
    BOOST_TEST(std::count(list.begin(), list.end(), '\n') == 18, list);
    expect_whole();
}

BOOST_AUTO_TEST_CASE(an_image_whose_base_is_removed_while_it_is_imported_hides_what_it_hides) {
    const std::filesystem::path base = made / "base";
    const std::filesystem::path upper = made / "upper";
    BOOST_TEST(script("more.py", {"slow-base", base}).status == 0);
    BOOST_TEST(script("more.py", {"slow", upper}).status == 0);
    BOOST_TEST(import({"--name", "base", base}).status == 0);
    Process importing({sandboxctl_program(), "image", "import", "--name", "upper", upper}, here());
    // The base is found by now, and the thousands of files of the upper layer come.
    const Result waited = sh("for i in $(seq 500); do ls -d '" + store.string() +
                             "'/incoming/*/layer-0 2>/dev/null && exit; sleep 0.01; done; exit 1");
    BOOST_TEST(waited.status == 0, waited);
    BOOST_TEST(images({"remove", "base"}).status == 0);
    const Result imported = importing.finish();
    BOOST_TEST(imported.status == 0, imported);
    const Result marks = sh("cd '" + store.string() + "/layers' && stat -c %F */root/p/gone | grep -c character; " +
                            "getfattr -n user.overlay.opaque --only-values */root/opaque 2>/dev/null");
    BOOST_TEST(marks.out == "1\ny", marks);
    expect_whole();
    BOOST_TEST(images({"remove", "upper"}).printed("2 layers"));
    expect_whole();
}

BOOST_AUTO_TEST_CASE(a_failed_call_at_the_worst_place_leaves_the_store_as_it_was) {
    if (!installed("strace") || !started_by_root()) {
        SKIP("only root can trace a program whose helpers are setuid");
    }
    BOOST_TEST(import({"--name", "before", image("everything")}).status == 0);
    const std::string before = listed();
    const std::filesystem::path layout = image("whiteouts");
    for (const char* fault : {"rename:error=ENOSPC:when=1", "rename:error=EIO:when=2", "rename:error=EIO:when=3",
                              "syncfs:error=EIO:when=1", "fsync:error=EIO:when=1", "fsync:error=ENOSPC:when=2",
                              "mknodat:error=EPERM:when=1", "fchown:error=EIO:when=3", "pwrite64:error=ENOSPC:when=2",
                              "utimensat:error=EIO:when=2", "mkdirat:error=ENOSPC:when=2", "flock:error=EIO:when=3"}) {
        const std::string call(fault, std::string_view(fault).find(':'));
        const Result failed =
            run({"strace", "-u", user().name, "-f", "-qq", "-o", "/dev/null", "-e", "trace=" + call, "-e",
                 "inject=" + std::string(fault), sandboxctl_program(), "image", "import", "--name", "new", layout},
                [&] {
                    Options options = here();
                    options.as = &root_user();
                    return options;
                }());
        BOOST_TEST(failed.status == 125, fault << failed);
        BOOST_TEST(failed.said("sandboxctl: "), fault << failed);
        BOOST_TEST(listed() == before, fault);
        const Result verified = images({"verify"});
        BOOST_TEST(verified.status == 0, fault << verified);
    }
    BOOST_TEST(import({"--name", "new", layout}).status == 0);
    expect_whole();
}

BOOST_AUTO_TEST_SUITE_END()
