// bench PEER: what a start costs beside the peers', what stays in memory, and what the filter costs a system call.
// Everything of one table is measured interleaved in one run: only the ratios carry over to another machine.
#include <fcntl.h>
#include <sched.h>
#include <spawn.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fmt/format.h>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <vector>

#include "core/base/file.hpp"
#include "tests/support/process.hpp"
#include "tests/support/world.hpp"

namespace fs = std::filesystem;
using namespace sandbox::test;
using nlohmann::json;
using sandbox::read_all;
using sandbox::write_all;

namespace {

constexpr int kRounds = 300;
constexpr int kWarmUp = 10;
constexpr double kWantedOverBubblewrap = 1.0;
constexpr double kWantedOverPeer = 1.25;
constexpr double kWantedFiftyGrants = 2.0;
constexpr long kWantedKiB = 4096;

struct Contestant {
    std::string name;
    Words command;
    std::string absent; ///< why it is not measured; empty: it is
    std::vector<double> milliseconds;
};

double quantile(std::vector<double> values, double part) {
    std::sort(values.begin(), values.end());
    return values.empty() ? 0 : values[static_cast<std::size_t>(part * static_cast<double>(values.size() - 1))];
}

double median(const Contestant& contestant) {
    return quantile(contestant.milliseconds, 0.5);
}

/// The median of the ratios round by round: what disturbs a round disturbs both.
double ratio(const Contestant& one, const Contestant& other) {
    std::vector<double> ratios;
    for (std::size_t i = 0; i < std::min(one.milliseconds.size(), other.milliseconds.size()); ++i) {
        ratios.push_back(one.milliseconds[i] / other.milliseconds[i]);
    }
    return quantile(ratios, 0.5);
}

/// Starts the command with /dev/null on its standard descriptors and waits for it.
int run_once(const Words& words, const std::vector<char*>& environment, double& milliseconds) {
    std::vector<char*> argv;
    for (const std::string& word : words) {
        argv.push_back(const_cast<char*>(word.c_str()));
    }
    argv.push_back(nullptr);
    const auto begin = std::chrono::steady_clock::now();
    pid_t pid = -1;
    if (::posix_spawnp(&pid, argv[0], nullptr, nullptr, argv.data(), environment.data()) != 0) {
        return 127;
    }
    int status = 0;
    ::waitpid(pid, &status, 0);
    milliseconds = std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - begin).count();
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}

void say(const std::string& line) {
    std::fputs((line + "\n").c_str(), stdout);
    std::fflush(stdout);
}

/// The plan of bench-peer, out of the plan of sandbox.
void write_peer_plan(const json& plan, const fs::path& filter, const fs::path& target) {
    std::ofstream file(target);
    const json& ids = plan.at("ids");
    for (const auto& [name, index] : {std::pair("uid", 0), std::pair("gid", 1)}) {
        for (const json& line : ids.at(std::string(name) + "_map")) {
            file << fmt::format(
                "{}\t{}\t{}\t{}\t{}\n", name,
                ids.at("maps_written_by").at("value").at(static_cast<std::size_t>(index)).get<std::string>(),
                line.at("inside").get<unsigned>(), line.at("outside").get<unsigned>(),
                line.at("count").get<unsigned>());
        }
    }
    file << fmt::format("ids\t{}\t{}\n", ids.at("uid").at("value").get<unsigned>(),
                        ids.at("gid").at("value").get<unsigned>());
    file << "hostname\t" << plan.at("namespaces").at("hostname").at("value").get<std::string>() << '\n';
    file << "workdir\t" << plan.at("command").at("workdir").at("value").get<std::string>() << '\n';
    file << "filter\t" << filter.string() << '\n';
    for (const json& entry : plan.at("filesystem").at("entries")) {
        const std::string kind = entry.at("kind");
        const std::string dest = entry.at("dest");
        file << kind << '\t' << dest;
        if (kind == "bind") {
            file << fmt::format("\t{}\t{}\t{}", entry.at("source").get<std::string>(),
                                entry.at("writable").get<bool>() ? "w" : "r",
                                entry.at("devices").get<bool>() ? "d" : "n");
        } else if (kind == "link") {
            file << '\t' << entry.at("target").get<std::string>();
        } else if (kind == "directory" || kind == "private_directory") {
            file << '\t' << entry.at("mode").get<unsigned>();
        }
        file << '\n';
    }
}

/// An OCI bundle for crun with the maps, namespaces, masks and system directories of the plan.
void write_bundle(const json& plan, const fs::path& bundle) {
    json mounts = json::array({
        {{"destination", "/proc"}, {"type", "proc"}, {"source", "proc"}},
        {{"destination", "/dev"}, {"type", "tmpfs"}, {"source", "tmpfs"}, {"options", {"nosuid", "mode=755"}}},
        {{"destination", "/dev/pts"},
         {"type", "devpts"},
         {"source", "devpts"},
         {"options", {"nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620"}}},
        {{"destination", "/tmp"},
         {"type", "tmpfs"},
         {"source", "tmpfs"},
         {"options", {"nosuid", "nodev", "mode=1777"}}},
    });
    // The container's root is a subordinate id, which may not make them.
    for (const char* directory : {"proc", "dev", "tmp", "usr", "etc", "opt"}) {
        fs::create_directories(bundle / "rootfs" / directory);
    }
    for (const char* directory : {"/usr", "/etc", "/opt"}) {
        mounts.push_back({{"destination", directory},
                          {"type", "bind"},
                          {"source", directory},
                          {"options", {"rbind", "ro", "nosuid", "nodev"}}});
    }
    for (const char* link : {"bin", "sbin", "lib", "lib64"}) {
        if (fs::is_symlink(fs::path("/") / link)) {
            fs::create_symlink(fs::read_symlink(fs::path("/") / link), bundle / "rootfs" / link);
        }
    }
    json uid_map = json::array();
    json gid_map = json::array();
    for (const auto& [from, to] : {std::pair("uid_map", &uid_map), std::pair("gid_map", &gid_map)}) {
        for (const json& line : plan.at("ids").at(from)) {
            to->push_back(
                {{"containerID", line.at("inside")}, {"hostID", line.at("outside")}, {"size", line.at("count")}});
        }
    }
    json namespaces = json::array();
    for (const char* type : {"user", "pid", "network", "mount", "uts", "ipc", "cgroup"}) {
        namespaces.push_back({{"type", type}});
    }
    const json config = {
        {"ociVersion", "1.0.0"},
        {"hostname", "sandbox"},
        {"process",
         {{"user", {{"uid", plan.at("ids").at("uid").at("value")}, {"gid", plan.at("ids").at("gid").at("value")}}},
          {"args", {"true"}},
          {"cwd", "/"},
          {"env", {"PATH=/usr/bin:/bin"}},
          {"noNewPrivileges", true}}},
        {"root", {{"path", "rootfs"}, {"readonly", true}}},
        {"mounts", mounts},
        {"linux",
         {{"namespaces", namespaces},
          {"uidMappings", uid_map},
          {"gidMappings", gid_map},
          {"maskedPaths",
           {"/proc/acpi", "/proc/kcore", "/proc/keys", "/proc/timer_list", "/proc/scsi", "/proc/interrupts"}},
          {"readonlyPaths", {"/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"}}}},
    };
    std::ofstream(bundle / "config.json") << config.dump(2);
}

/// What the measuring process works with: the test user's world.
struct Bench {
    explicit Bench(std::string peer_program) : peer(std::move(peer_program)) {}

    void prepare();
    void measure(std::vector<Contestant>& contestants) const;
    void starts();
    void grants() const;
    void calls() const;
    void memory() const;
    void trace() const;

    World world;
    std::string peer;
    json plan;
    std::vector<std::string> variables;
    std::vector<char*> environment;
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
    for (const auto& [name, value] : clean_environment(user())) {
        variables.push_back(name + "=" + (name == "HOME" ? world.home.string() : value));
    }
    for (std::string& variable : variables) {
        environment.push_back(variable.data());
    }
    environment.push_back(nullptr);
    // Debian 12's crun refuses a machine whose cgroups are half v1: it is shown a v2 tree, for this process alone.
    if (started_by_root() && !fs::exists("/sys/fs/cgroup/cgroup.controllers") && fs::exists("/sys/fs/cgroup/unified") &&
        ::unshare(CLONE_NEWNS) == 0) {
        ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr);
        ::mount("/sys/fs/cgroup/unified", "/sys/fs/cgroup", nullptr, MS_BIND, nullptr);
    }
    crun.command = {"crun", "--root",   (world.home / "crun").string(),   "--cgroup-manager", "disabled",
                    "run",  "--bundle", (world.home / "bundle").string(), "sandbox-bench"};
    if (!installed("crun")) {
        crun.absent = "not installed";
    } else if (const Result tried = run(crun.command, world.here()); tried.status != 0) {
        crun.absent = "does not run here: " + tried.err.substr(0, tried.err.find('\n'));
    }
}

/// Forks a process that becomes the user, measures, and sends back the figures.
void Bench::measure(std::vector<Contestant>& contestants) const {
    int ends[2];
    if (::pipe(ends) != 0) {
        throw std::runtime_error("pipe failed");
    }
    const pid_t child = ::fork();
    if (child == 0) {
        ::close(ends[0]);
        become(user());
        if (::chdir(world.project.c_str()) != 0) {
            ::_exit(1);
        }
        const int null = ::open("/dev/null", O_RDWR);
        ::dup2(null, 0);
        ::dup2(null, 1);
        std::string report;
        for (int round = -kWarmUp; round < kRounds; ++round) {
            for (std::size_t i = 0; i < contestants.size(); ++i) {
                // Turn by turn another one begins, so that none always follows the same.
                const std::size_t turn = (i + static_cast<std::size_t>(round + kWarmUp)) % contestants.size();
                double milliseconds = 0;
                if (!contestants[turn].absent.empty()) {
                    continue;
                }
                if (run_once(contestants[turn].command, environment, milliseconds) != 0) {
                    std::fputs(("failed: " + contestants[turn].name + "\n").c_str(), stderr);
                    ::_exit(1);
                }
                if (round >= 0) {
                    report += fmt::format("{} {:.6f}\n", turn, milliseconds);
                }
            }
        }
        ::_exit(write_all(ends[1], report) ? 0 : 1);
    }
    ::close(ends[1]);
    std::string report;
    static_cast<void>(read_all(ends[0], std::string::npos, report));
    ::close(ends[0]);
    int status = 0;
    ::waitpid(child, &status, 0);
    if (status != 0) {
        throw std::runtime_error("a contestant failed");
    }
    std::istringstream lines(report);
    std::size_t index = 0;
    for (double milliseconds = 0; lines >> index >> milliseconds;) {
        contestants.at(index).milliseconds.push_back(milliseconds);
    }
}

const char* verdict(bool reached) {
    return reached ? "reached" : "MISSED";
}

void Bench::starts() {
    const auto absent = [](const char* program) { return installed(program) ? "" : "not installed"; };
    world.profile("single-id", "extends = \"strict\"\n[ids]\nmap = \"self\"\ngroups = \"keep\"\n");
    std::vector<Contestant> all = {
        {"sandbox --profile strict true", {sandbox_program(), "--profile", "strict", "true"}, "", {}},
        {"the same kernel calls in plain C", {peer, (world.home / "plan").string(), "true"}, "", {}},
        {"bwrap --unshare-all --ro-bind / / true",
         {"bwrap", "--unshare-all", "--unshare-user", "--unshare-cgroup", "--ro-bind", "/", "/", "true"},
         absent("bwrap"),
         {}},
        {"sandbox without newuidmap, ids.map = \"self\"",
         {sandbox_program(), "--profile", "single-id", "true"},
         "",
         {}},
        crun,
        {"nsjail -Mo -q -- /bin/true",
         {"nsjail", "-Mo", "-q", "--chroot", "/", "--", "/bin/true"},
         absent("nsjail"),
         {}},
        {"firejail --quiet --noprofile true", {"firejail", "--quiet", "--noprofile", "true"}, absent("firejail"), {}},
        {"true, without a sandbox", {"true"}, "", {}},
    };
    for (Contestant& contestant : all) {
        if (contestant.absent.empty() && contestant.name != all.front().name) {
            if (const Result tried = run(contestant.command, world.here()); tried.status != 0) {
                contestant.absent = "does not run here: " + tried.err.substr(0, tried.err.find('\n'));
            }
        }
    }
    measure(all);
    say(fmt::format("A start, {} rounds, interleaved{:>29} {:>8} {:>15}", kRounds, "median ms", "p90 ms",
                    "sandbox/this"));
    for (const Contestant& contestant : all) {
        if (!contestant.absent.empty()) {
            say(fmt::format("  {:<50} {}", contestant.name, contestant.absent));
            continue;
        }
        say(fmt::format("  {:<50} {:>9.2f} {:>8.2f} {:>14.2f}x", contestant.name, median(contestant),
                        quantile(contestant.milliseconds, 0.9), ratio(all.front(), contestant)));
    }
    bool all_reached = true;
    const auto compare = [&](const Contestant& other, const char* name, double wanted) {
        if (other.absent.empty()) {
            const double times = ratio(all.front(), other);
            say(fmt::format("  wanted: at most {:.2f}x {}: {:.2f}x, {}", wanted, name, times,
                            verdict(times <= wanted)));
            all_reached = all_reached && times <= wanted;
        }
    };
    compare(all[1], "the C program", kWantedOverPeer);
    compare(all[2], "bubblewrap", kWantedOverBubblewrap);
    if (!all_reached) {
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
    measure(both);
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
    if (!running.wait_for("up")) {
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

} // namespace

int main(int argc, char** argv) {
    if (argc != 2) {
        std::fputs("usage: bench PEER\n", stderr);
        return 2;
    }
    try {
        // The peer has to be where the user can execute it.
        Bench bench(probe_directory() + "/bench-peer");
        fs::copy_file(argv[1], bench.peer, fs::copy_options::overwrite_existing);
        fs::permissions(bench.peer, static_cast<fs::perms>(0755));
        bench.prepare();
        bench.starts();
        bench.grants();
        bench.calls();
        bench.memory();
    } catch (const std::exception& error) {
        std::fputs((std::string("bench: ") + error.what() + "\n").c_str(), stderr);
        return 1;
    }
    return 0;
}
