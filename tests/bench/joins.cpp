#include "tests/bench/joins.hpp"

#include <fstream>
#include <nlohmann/json.hpp>
#include <optional>
#include <stdexcept>

#include "tests/bench/measure.hpp"
#include "tests/bench/peers.hpp"
#include "tests/support/world.hpp"

namespace sandbox::bench {

using namespace test;
using nlohmann::json;

namespace {

constexpr double kWantedOverCrun = 1.0;

/// What others enter: the bundle of the sandbox's plan, whose command waits.
void write_waiting_bundle(const World& world) {
    const std::filesystem::path bundle = world.home / "bundle";
    write_bundle(json::parse(world.sandbox({"--profile", "strict", "--dry-run=json", "true"}).out), bundle);
    json config = json::parse(read_file(bundle / "config.json"));
    config["process"]["args"] = {"sh", "-c", "echo up; exec sleep 100000"};
    std::ofstream(bundle / "config.json") << config.dump(2);
    if (started_by_root()) {
        Options options;
        options.as = &root_user();
        run({"chown", "-R", user().name, bundle.string()}, options);
    }
}

Process start(const Words& words, const World& world) {
    Options options = world.logged_in();
    options.watchdog = std::chrono::minutes(30);
    Process process(words, options);
    static_cast<void>(process.wait_for("up\n")); // one that does not run is found absent
    return process;
}

/// The end of crun's own process is not that of its container.
class ContainerEnd {
public:
    ContainerEnd(Words crun, const World& world) : words_(std::move(crun)), options_(world.logged_in()) {
        words_.insert(words_.end(), {"delete", "--force", "sandbox-bench"});
    }
    ContainerEnd(const ContainerEnd&) = delete;
    ContainerEnd& operator=(const ContainerEnd&) = delete;
    ~ContainerEnd() { run(words_, options_); }

private:
    Words words_;
    Options options_;
};

} // namespace

void measure_joins() {
    const World world;
    write_waiting_bundle(world);
    show_unified_cgroups();
    const Words crun = {"crun", "--root", (world.home / "crun").string(), "--cgroup-manager", "disabled"};
    Words crun_run = crun;
    crun_run.insert(crun_run.end(), {"run", "--bundle", (world.home / "bundle").string(), "sandbox-bench"});
    Words crun_exec = crun;
    crun_exec.insert(crun_exec.end(), {"exec", "sandbox-bench", "true"});

    const Process own = start(
        {sandbox_program(), "--profile", "strict", "--name", "bench", "--", "sh", "-c", "echo up; exec sleep 100000"},
        world);
    std::optional<Process> others;
    if (installed("crun")) {
        others.emplace(start(crun_run, world));
    }
    const ContainerEnd crun_end(crun, world);
    const Process plain =
        start({"unshare", "--user", "--map-root-user", "--mount", "--pid", "--uts", "--ipc", "--net", "--cgroup",
               "--fork", "--kill-child", "--mount-proc", "sh", "-c", "echo up; exec sleep 100000"},
              world);
    const Result child = world.sh("pgrep -P " + std::to_string(plain.pid()));
    std::vector<Contestant> all = {
        {"sandboxctl exec, strict", {sandboxctl_program(), "exec", "bench", "true"}, "", {}},
        {"crun exec, same maps and namespaces, no filter", crun_exec, absent_unless_installed("crun"), {}},
        {"nsenter, all namespaces, no restriction",
         {"nsenter", "--target", child.out.substr(0, child.out.find('\n')), "--user", "--preserve-credentials",
          "--mount", "--pid", "--uts", "--ipc", "--net", "--cgroup", "true"},
         absent_unless_installed("nsenter"),
         {}},
        {"sandboxctl --version", {sandboxctl_program(), "--version"}, "", {}},
        {"true, without a sandbox", {"true"}, "", {}},
    };
    if (const Result tried = run(all.front().command, world.logged_in()); tried.status != 0) {
        throw std::runtime_error("sandboxctl exec does not run here: " + tried.err);
    }
    find_absent(all, world);
    measure(all, world);
    say_table("\nEntering a sandbox that runs, interleaved", all);
    static_cast<void>(say_verdict(all[0], all[1], "crun exec", kWantedOverCrun));
}

} // namespace sandbox::bench
