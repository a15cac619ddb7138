// bench PEER: what a start costs beside the peers', what stays in memory, and what the filter costs a system call.
// bench limits: what limits cost a start, on a machine whose systemd gives cgroups: the workstation.
// bench joins: what it costs to enter a sandbox that runs.
// bench layers: what layers cost a start, a build and git.
// bench runs: what the record of a run costs a start, and a look at a hundred runs.
// bench reports: what it costs that refused system calls are reported.
// bench images: what an import costs beside the programs that unpack the same image.
// Everything of one table is measured interleaved in one run: only the ratios carry over to another machine.
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fmt/format.h>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <vector>

#include "tests/bench/images.hpp"
#include "tests/bench/joins.hpp"
#include "tests/bench/layers.hpp"
#include "tests/bench/limits.hpp"
#include "tests/bench/measure.hpp"
#include "tests/bench/network.hpp"
#include "tests/bench/peers.hpp"
#include "tests/bench/reports.hpp"
#include "tests/bench/runs.hpp"
#include "tests/support/process.hpp"
#include "tests/support/world.hpp"

namespace fs = std::filesystem;
using namespace sandbox::test;
using namespace sandbox::bench;
using nlohmann::json;

namespace {

constexpr double kWantedOverBubblewrap = 1.0;
constexpr double kWantedOverPeer = 1.25;
constexpr double kWantedFiftyGrants = 2.0;
constexpr long kWantedKiB = 4096;

/// What the measuring process works with: the test user's world.
struct Bench {
    explicit Bench(std::string peer_program) : peer(std::move(peer_program)) {}

    void prepare();
    void starts();
    void grants() const;
    void calls() const;
    void memory() const;
    void trace() const;

    World world;
    std::string peer;
    json plan;
    Contestant crun{"crun, same maps and namespaces", {}, "", {}};
};

void Bench::prepare() {
    const Result shown = world.sandbox({"--profile", "strict", "--dry-run=json", "true"});
    plan = json::parse(shown.out);
    if (world.sandbox({"--profile", "strict", "true"}).status != 0) {
        throw std::runtime_error("sandbox does not run here: " + world.sandbox({"--profile", "strict", "true"}).err);
    }
    const Result cached = world.sh("find ~/.local/share/sandbox -name '*.bpf'");
    const fs::path copy = world.home / "filter";
    fs::copy_file(cached.out.substr(0, cached.out.find('\n')), copy);
    world.write(copy, read_file(copy));
    write_peer_plan(plan, copy, world.home / "plan");
    write_bundle(plan, world.home / "bundle");
    if (started_by_root()) {
        Options options;
        options.as = &root_user();
        run({"chown", "-R", user().name, (world.home / "bundle").string()}, options);
    }
    show_unified_cgroups();
    crun.command = {"crun", "--root",   (world.home / "crun").string(),   "--cgroup-manager", "disabled",
                    "run",  "--bundle", (world.home / "bundle").string(), "sandbox-bench"};
    crun.absent = absent_unless_installed("crun");
}

void Bench::starts() {
    world.profile("single-id", "extends = \"strict\"\n[ids]\nmap = \"self\"\ngroups = \"keep\"\n");
    std::vector<Contestant> all = {
        {"sandbox --profile strict true", {sandbox_program(), "--profile", "strict", "true"}, "", {}},
        {"the same kernel calls in plain C", {peer, (world.home / "plan").string(), "true"}, "", {}},
        {"bwrap --unshare-all --ro-bind / / true",
         {"bwrap", "--unshare-all", "--unshare-user", "--unshare-cgroup", "--ro-bind", "/", "/", "true"},
         absent_unless_installed("bwrap"),
         {}},
        {"sandbox without newuidmap, ids.map = \"self\"",
         {sandbox_program(), "--profile", "single-id", "true"},
         "",
         {}},
        crun,
        {"nsjail -Mo -q -- /bin/true",
         {"nsjail", "-Mo", "-q", "--chroot", "/", "--", "/bin/true"},
         absent_unless_installed("nsjail"),
         {}},
        {"firejail --quiet --noprofile true",
         {"firejail", "--quiet", "--noprofile", "true"},
         absent_unless_installed("firejail"),
         {}},
        {"true, without a sandbox", {"true"}, "", {}},
    };
    find_absent(all, world);
    measure(all, world);
    say_table(fmt::format("A start, {} rounds, interleaved", kRounds), all);
    const bool near_peer = say_verdict(all[0], all[1], "the C program", kWantedOverPeer);
    const bool near_bubblewrap = say_verdict(all[0], all[2], "bubblewrap", kWantedOverBubblewrap);
    if (!near_peer || !near_bubblewrap) {
        say("  bubblewrap maps one id without a helper; sandbox with one id is the row below it.");
        trace();
    }
}

void Bench::grants() const {
    Words fifty = {sandbox_program(), "--profile", "strict"};
    for (int i = 0; i < 50; ++i) {
        fifty.insert(fifty.end(), {"--ro", world.directory(world.home / "grants" / std::to_string(i)).string()});
    }
    fifty.emplace_back("true");
    std::vector<Contestant> both = {{"no grant", {sandbox_program(), "--profile", "strict", "true"}, "", {}},
                                    {"50 grants", fifty, "", {}}};
    measure(both, world);
    const double times = ratio(both[1], both[0]);
    say(fmt::format("\nGrants: none {:.2f} ms, fifty {:.2f} ms: {:.2f}x (wanted: less than {:.1f}x, {})",
                    median(both[0]), median(both[1]), times, kWantedFiftyGrants, verdict(times < kWantedFiftyGrants)));
}

void Bench::calls() const {
    say("\nA system call, ns (median of 9 runs)         getpid     read");
    constexpr const char* kProfiles[] = {"", "permissive", "default", "build", "strict"};
    for (const char* profile : kProfiles) {
        double figures[2] = {};
        for (int kind = 0; kind < 2; ++kind) {
            std::vector<double> times;
            for (int i = 0; i < 9; ++i) {
                const Words words = {probe("calls"), kind == 0 ? "getpid" : "read", "500000"};
                const Result result = *profile == 0 ? world.outside(words) : world.inside(profile, words);
                times.push_back(std::strtod(result.out.c_str(), nullptr));
            }
            figures[kind] = quantile(times, 0.5);
        }
        say(fmt::format("  {:<41} {:>7.1f} {:>8.1f}", *profile == 0 ? "without a sandbox" : profile, figures[0],
                        figures[1]));
    }
}

/// Private memory of a process in KiB; -1 where it cannot be read.
long private_kib(pid_t pid) {
    std::ifstream file("/proc/" + std::to_string(pid) + "/smaps_rollup");
    long sum = -1;
    for (std::string line; std::getline(file, line);) {
        if (line.starts_with("Private_Clean:") || line.starts_with("Private_Dirty:")) {
            sum = std::max(sum, 0L) + std::strtol(line.c_str() + line.find(':') + 1, nullptr, 10);
        }
    }
    return sum;
}

std::string status_line(pid_t pid, const char* name) {
    std::ifstream file("/proc/" + std::to_string(pid) + "/status");
    for (std::string line; std::getline(file, line);) {
        if (line.starts_with(name)) {
            std::istringstream words(line.substr(line.find(':') + 1));
            std::string number;
            words >> number;
            return number;
        }
    }
    return "?";
}

void Bench::memory() const {
    Process running({sandbox_program(), "--profile", "strict", "--", "sh", "-c", "echo up; exec sleep 1000"},
                    world.here());
    if (!running.wait_for("up\n")) {
        throw std::runtime_error("sandbox does not run here");
    }
    const Result children = world.sh("pgrep -P " + std::to_string(running.pid()));
    const auto init = static_cast<pid_t>(std::atoi(children.out.c_str()));
    const long supervisor_kib = private_kib(running.pid());
    const long init_kib = private_kib(init);
    if (init_kib < 0) {
        say("\nMemory while CMD runs: pid 1 shows its memory to root alone; start the bench as root");
        return;
    }
    say(fmt::format(
        "\nMemory while CMD runs, private KiB: supervisor {}, pid 1 {}, together {} (wanted: at most {}, {}); peak "
        "resident {} and {}",
        supervisor_kib, init_kib, supervisor_kib + init_kib, kWantedKiB,
        verdict(supervisor_kib + init_kib <= kWantedKiB), status_line(running.pid(), "VmHWM"),
        status_line(init, "VmHWM")));
}

void Bench::trace() const {
    say("  where the time goes, one run of sandbox --verbose:");
    std::istringstream lines(world.sandbox({"--profile", "strict", "--verbose", "true"}).err);
    for (std::string line; std::getline(lines, line);) {
        say("    " + line);
    }
}

/// Puts a program where the user can execute it. \return its path there.
std::string offer(const char* program, const char* name) {
    const fs::path place = fs::path(probe_directory()) / name;
    fs::copy_file(program, place, fs::copy_options::overwrite_existing);
    fs::permissions(place, static_cast<fs::perms>(0755));
    return place.string();
}

void run_bench(const char* peer_program) {
    Bench bench(offer(peer_program, "bench-peer"));
    bench.prepare();
    bench.starts();
    bench.grants();
    bench.calls();
    bench.memory();
}

} // namespace

int main(int argc, char** argv) {
    if (argc != 2 && !(argc == 3 && std::string_view(argv[1]) == "network")) {
        std::fputs("usage: bench PEER | bench limits | bench joins | bench layers | bench runs | bench reports | bench "
                   "images | "
                   "bench network TRAFFIC\n",
                   stderr);
        return 2;
    }
    try {
        if (std::string_view(argv[1]) == "limits") {
            measure_limits();
        } else if (std::string_view(argv[1]) == "joins") {
            measure_joins();
        } else if (std::string_view(argv[1]) == "layers") {
            measure_layers();
        } else if (std::string_view(argv[1]) == "runs") {
            measure_runs();
        } else if (std::string_view(argv[1]) == "reports") {
            measure_reports();
        } else if (std::string_view(argv[1]) == "images") {
            static_cast<void>(measure_images());
        } else if (std::string_view(argv[1]) == "network") {
            static_cast<void>(measure_network(offer(argv[2], "traffic").c_str()));
        } else {
            run_bench(argv[1]);
        }
    } catch (const std::exception& error) {
        std::fputs((std::string("bench: ") + error.what() + "\n").c_str(), stderr);
        return 1;
    }
    return 0;
}
