#include "tests/bench/measure.hpp"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <fmt/format.h>
#include <map>
#include <sstream>
#include <stdexcept>

#include "core/base/file.hpp"

namespace sandbox::bench {

using namespace test;

namespace {

constexpr int kWarmUp = 10;

/// The test user's variables, as posix_spawn(3) takes them.
struct Environment {
    std::vector<std::string> variables;
    std::vector<char*> pointers;

    explicit Environment(const World& world) {
        std::map<std::string, std::string> environment = clean_environment(user());
        environment["HOME"] = world.home;
        if (std::filesystem::exists(world.home / "runtime")) {
            environment["XDG_RUNTIME_DIR"] = world.logged_in().environment.at("XDG_RUNTIME_DIR").value();
        }
        for (const auto& [name, value] : environment) {
            variables.push_back(name + "=" + value);
        }
        for (std::string& variable : variables) {
            pointers.push_back(variable.data());
        }
        pointers.push_back(nullptr);
    }
    Environment(const Environment&) = delete;
    Environment& operator=(const Environment&) = delete;
    ~Environment() = default;
};

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

} // namespace

std::string absent_unless_installed(const char* program) {
    return installed(program) ? "" : "not installed";
}

double quantile(std::vector<double> values, double part) {
    std::sort(values.begin(), values.end());
    return values.empty() ? 0 : values[static_cast<std::size_t>(part * static_cast<double>(values.size() - 1))];
}

double median(const Contestant& contestant) {
    return quantile(contestant.milliseconds, 0.5);
}

double ratio(const Contestant& one, const Contestant& other) {
    std::vector<double> ratios;
    for (std::size_t i = 0; i < std::min(one.milliseconds.size(), other.milliseconds.size()); ++i) {
        ratios.push_back(one.milliseconds[i] / other.milliseconds[i]);
    }
    return quantile(ratios, 0.5);
}

void say(const std::string& line) {
    std::fputs((line + "\n").c_str(), stdout);
    std::fflush(stdout);
}

const char* verdict(bool reached) {
    return reached ? "reached" : "MISSED";
}

void find_absent(std::vector<Contestant>& contestants, const World& world) {
    for (Contestant& contestant : contestants) {
        if (contestant.absent.empty() && &contestant != &contestants.front()) {
            if (const Result tried = run(contestant.command, world.here()); tried.status != 0) {
                contestant.absent = "does not run here: " + tried.err.substr(0, tried.err.find('\n'));
            }
        }
    }
}

/// Forks a process that becomes the user, measures, and sends back the figures.
void measure(std::vector<Contestant>& contestants, const World& world, int rounds) {
    Environment environment(world);
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
        const int complaints = ::fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
        for (const int standard : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
            ::dup2(null, standard);
        }
        std::string report;
        for (int round = -kWarmUp; round < rounds; ++round) {
            for (std::size_t i = 0; i < contestants.size(); ++i) {
                // Turn by turn another one begins, so that none always follows the same.
                const std::size_t turn = (i + static_cast<std::size_t>(round + kWarmUp)) % contestants.size();
                double milliseconds = 0;
                if (!contestants[turn].absent.empty()) {
                    continue;
                }
                if (run_once(contestants[turn].command, environment.pointers, milliseconds) != 0) {
                    static_cast<void>(sandbox::write_all(complaints, "failed: " + contestants[turn].name +
                                                                         "\n")); // the status tells it too
                    ::_exit(1);
                }
                if (round >= 0) {
                    report += fmt::format("{} {:.6f}\n", turn, milliseconds);
                }
            }
        }
        ::_exit(sandbox::write_all(ends[1], report) ? 0 : 1);
    }
    ::close(ends[1]);
    std::string report;
    static_cast<void>(sandbox::read_all(ends[0], std::string::npos, report));
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

void say_table(const std::string& title, const std::vector<Contestant>& contestants) {
    say(fmt::format("{:<52} {:>9} {:>8} {:>15}", title, "median ms", "p90 ms", "sandbox/this"));
    for (const Contestant& contestant : contestants) {
        if (!contestant.absent.empty()) {
            say(fmt::format("  {:<50} {}", contestant.name, contestant.absent));
            continue;
        }
        say(fmt::format("  {:<50} {:>9.2f} {:>8.2f} {:>14.2f}x", contestant.name, median(contestant),
                        quantile(contestant.milliseconds, 0.9), ratio(contestants.front(), contestant)));
    }
}

bool say_verdict(const Contestant& first, const Contestant& other, const char* name, double wanted) {
    if (!other.absent.empty()) {
        return true;
    }
    const double times = ratio(first, other);
    say(fmt::format("  wanted: at most {:.2f}x {}: {:.2f}x, {}", wanted, name, times, verdict(times <= wanted)));
    return times <= wanted;
}

} // namespace sandbox::bench
