#include "tests/bench/reports.hpp"

#include <string>
#include <vector>

#include "tests/bench/measure.hpp"
#include "tests/support/world.hpp"

namespace sandbox::bench {

using namespace test;

namespace {

constexpr double kWantedOverPlain = 1.02;
constexpr double kWantedExplained = 1.35;

struct Work {
    const char* name;
    const char* profile;
    Words command;
    int rounds;
};

Words under(const Work& work, const char* report) {
    Words words = {sandbox_program(), "--quiet", "--profile", work.profile, "--report", report, "--"};
    words.insert(words.end(), work.command.begin(), work.command.end());
    return words;
}

void measure_work(const World& world, const Work& work) {
    const std::string absent = absent_unless_installed(work.command.front().c_str());
    std::vector<Contestant> all = {
        {"with the report", under(work, "auto"), absent, {}},
        {"the plain filter", under(work, "never"), absent, {}},
    };
    measure(all, world, work.rounds);
    say_table(std::string("\n") + work.name, all);
    static_cast<void>(say_verdict(all[0], all[1], "the plain filter", kWantedOverPlain));
}

/// A compile that is watched, beside strace(1), which tells the same calls by tracing.
void measure_explained(const World& world) {
    const Words compile = {"g++", "-c", "hello.cpp"};
    const auto with = [&](Words words) {
        words.insert(words.end(), compile.begin(), compile.end());
        return words;
    };
    const std::string absent = absent_unless_installed("g++");
    std::vector<Contestant> all = {
        {"--explain", with({sandbox_program(), "--quiet", "--profile", "build", "--explain", "--"}), absent, {}},
        {"the plain filter",
         with({sandbox_program(), "--quiet", "--profile", "build", "--report", "never", "--"}),
         absent,
         {}},
        {"strace, without a sandbox",
         with({"strace", "-f", "-qq", "--seccomp-bpf", "-e", "%file", "-o", "trace"}),
         absent.empty() ? absent_unless_installed("strace") : absent,
         {}},
        {"neither", compile, absent, {}},
    };
    measure(all, world, kRounds / 10);
    say_table("\ng++ -c, with every file told", all);
    static_cast<void>(say_verdict(all[0], all[1], "the plain filter", kWantedExplained));
}

} // namespace

void measure_reports() {
    const World world;
    world.write(world.project / "hello.cpp", "#include <iostream>\nint main() { std::cout << 1; }\n");
    const std::string forks = "i=0; while [ $i -lt 200 ]; do /bin/true; i=$((i + 1)); done";
    const Work kAll[] = {
        {"A start to its end: true", "strict", {"true"}, kRounds},
        {"200 forks of a shell", "strict", {"sh", "-c", forks}, kRounds / 10},
        {"find over /usr", "strict", {"sh", "-c", "find /usr -name none 2>/dev/null; true"}, kRounds / 10},
        {"g++ -c", "build", {"g++", "-c", "hello.cpp"}, kRounds / 10},
    };
    for (const Work& work : kAll) {
        measure_work(world, work);
    }
    measure_explained(world);
}

} // namespace sandbox::bench
