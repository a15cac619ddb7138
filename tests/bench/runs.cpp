#include "tests/bench/runs.hpp"

#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "tests/bench/measure.hpp"
#include "tests/support/world.hpp"

namespace sandbox::bench {

using namespace test;

namespace {

constexpr int kMany = 100;
constexpr int kFewRounds = 40;
constexpr double kWantedOverUnrecorded = 1.02;

/// A start whose registry is in `runtime`.
Words start_with(const std::string& runtime) {
    return {"env", "XDG_RUNTIME_DIR=" + runtime, sandbox_program(), "--quiet", "--profile", "strict", "true"};
}

void measure_start(const World& world, const std::string& runtime) {
    std::vector<Contestant> all = {
        {"sandbox --profile strict true, recorded", start_with(runtime), "", {}},
        {"the same without a runtime directory", start_with("/nonexistent"), "", {}},
    };
    measure(all, world);
    say_table("\nA start with its record", all);
    static_cast<void>(say_verdict(all[0], all[1], "a start without", kWantedOverUnrecorded));
}

void measure_looks(const World& world, const std::string& runtime) {
    Options patient = world.logged_in();
    patient.keep_input_open = true;
    patient.watchdog = std::chrono::minutes(10);
    std::vector<Process> running;
    for (int i = 0; i < kMany; ++i) {
        running.emplace_back(
            Words{sandbox_program(), "--quiet", "--profile", "strict", "--", "sh", "-c", "echo ready; read line"},
            patient);
        if (!running.back().wait_for("ready\n")) {
            throw std::runtime_error("a sandbox does not start: " + running.back().so_far().err);
        }
    }
    const std::string environment = "XDG_RUNTIME_DIR=" + runtime;
    std::vector<Contestant> all = {
        {"sandboxctl ps", {"env", environment, sandboxctl_program(), "ps"}, "", {}},
        {"sandboxctl ps --json", {"env", environment, sandboxctl_program(), "ps", "--json"}, "", {}},
        {"sandboxctl ps --quiet", {"env", environment, sandboxctl_program(), "ps", "--quiet"}, "", {}},
        {"ps -ef", {"ps", "-ef"}, absent_unless_installed("ps"), {}},
    };
    measure(all, world, kFewRounds);
    say_table("\nA look at " + std::to_string(kMany) + " running sandboxes", all);
    static_cast<void>(world.ctl({"stop", "--time", "0", "--all"}));
}

} // namespace

void measure_runs() {
    const World world;
    const std::string runtime = world.directory(world.home / "runtime", 0700);
    // As a login has it: what is on a disk takes longer.
    std::optional<ScopedMount> memory;
    if (started_by_root()) {
        memory.emplace("tmpfs", runtime, 0, "mode=0700,uid=" + std::to_string(user().uid));
    }
    measure_start(world, runtime);
    measure_looks(world, runtime);
}

} // namespace sandbox::bench
