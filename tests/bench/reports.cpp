#include "tests/bench/reports.hpp"

#include <string>
#include <vector>

#include "tests/bench/measure.hpp"
#include "tests/support/world.hpp"

namespace sandbox::bench {

using namespace test;

namespace {

constexpr double kWantedOverPlain = 1.02;

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

} // namespace

void measure_reports() {
    const World world;
    world.write(world.project / "hello.cpp", "#include <iostream>\nint main() { std::cout << 1; }\n");
    const std::string forks = "i=0; while [ $i -lt 200 ]; do /bin/true; i=$((i + 1)); done";
    const Work kAll[] = {
        {"A start to its end: true", "strict", {"true"}, kRounds},
        {"200 forks of a shell", "strict", {"sh", "-c", forks}, kRounds / 10},
        {"find over /usr", "strict", {"find", "/usr", "-name", "none"}, kRounds / 10},
        {"g++ -c", "build", {"g++", "-c", "hello.cpp"}, kRounds / 10},
    };
    for (const Work& work : kAll) {
        measure_work(world, work);
    }
}

} // namespace sandbox::bench
