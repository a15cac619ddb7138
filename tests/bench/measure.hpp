// What every table of the bench is measured with: contestants that take turns in one run, and ratios between them, for
// only ratios carry over to another machine.
#pragma once

#include <string>
#include <vector>

#include "tests/support/process.hpp"
#include "tests/support/world.hpp"

namespace sandbox::bench {

using test::Words;

constexpr int kRounds = 300;

/// A command whose whole run is measured.
struct Contestant {
    std::string name;
    Words command;
    std::string absent; ///< why it is not measured; empty: it is
    std::vector<double> milliseconds;
};

/// "not installed" where no directory of $PATH holds the program; else empty, as Contestant::absent wants it.
[[nodiscard]] std::string absent_unless_installed(const char* program);

/// \param part 0.5 for the median.
[[nodiscard]] double quantile(std::vector<double> values, double part);
[[nodiscard]] double median(const Contestant& contestant);
/// The median of the ratios round by round: what disturbs a round disturbs both.
[[nodiscard]] double ratio(const Contestant& one, const Contestant& other);

/// A line on standard output, at once.
void say(const std::string& line);
[[nodiscard]] const char* verdict(bool reached);

/// Notes why each but the first does not run here, where it does not.
void find_absent(std::vector<Contestant>& contestants, const test::World& world);
/// Runs all that are not absent, in turns, as the test user, with nothing on their standard descriptors.
/// \throws std::runtime_error where one of them fails.
void measure(std::vector<Contestant>& contestants, const test::World& world, int rounds = kRounds);
/// One table: a line a contestant, its median, its slow end, and how the first compares with it.
void say_table(const std::string& title, const std::vector<Contestant>& contestants);
/// Says whether the first takes no more than `wanted` times what `other` takes. \return so; true where it is absent.
bool say_verdict(const Contestant& first, const Contestant& other, const char* name, double wanted);

} // namespace sandbox::bench
