#include "tests/bench/limits.hpp"

#include <nlohmann/json.hpp>
#include <stdexcept>

#include "tests/bench/measure.hpp"
#include "tests/bench/peers.hpp"
#include "tests/support/world.hpp"

namespace sandbox::bench {

using namespace test;

namespace {

// A start takes a third of a second in user-mode Linux.
constexpr int kFewRounds = 40;
constexpr long kMebibyte = 1024L * 1024;
constexpr double kWantedOverOthers = 1.0;

} // namespace

void measure_limits() {
    const World world;
    const Result shown = world.sandbox({"--profile", "strict", "--dry-run=json", "true"});
    write_bundle(nlohmann::json::parse(shown.out), world.home / "bundle", 64 * kMebibyte);
    std::vector<Contestant> all = {
        {"sandbox --profile strict --memory 64m true",
         {sandbox_program(), "--profile", "strict", "--memory", "64m", "true"},
         "",
         {}},
        {"systemd-run --user --scope -p MemoryMax=64M true",
         {"systemd-run", "--user", "--scope", "--quiet", "-p", "MemoryMax=64M", "true"},
         absent_unless_installed("systemd-run"),
         {}},
        {"crun --systemd-cgroup run, memory limit 64 MiB",
         {"crun", "--root", (world.home / "crun").string(), "--systemd-cgroup", "run", "--bundle",
          (world.home / "bundle").string(), "sandbox-bench"},
         absent_unless_installed("crun"),
         {}},
        {"sandbox --profile build true, no limit", {sandbox_program(), "--profile", "build", "true"}, "", {}},
        {"bwrap --unshare-all true, no limit",
         {"bwrap", "--unshare-all", "--ro-bind", "/", "/", "true"},
         absent_unless_installed("bwrap"),
         {}},
        {"true, without a sandbox", {"true"}, "", {}},
    };
    if (const Result tried = run(all.front().command, world.here()); tried.status != 0) {
        throw std::runtime_error("limits cannot be had here: " + tried.err);
    }
    find_absent(all, world);
    measure(all, world, kFewRounds);
    say_table("\nA start with limits, user-mode Linux", all);
    static_cast<void>(say_verdict(all[0], all[1], "systemd-run", kWantedOverOthers));
    static_cast<void>(say_verdict(all[0], all[2], "crun", kWantedOverOthers));
}

} // namespace sandbox::bench
