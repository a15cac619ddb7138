#include "core/plan/nearest.hpp"

#include <algorithm>
#include <numeric>
#include <utility>
#include <vector>

namespace sandbox {

namespace {

/// Edits between the words, two swapped neighbours ("opne") counted as one: the rows of the table for the last two
/// letters of `from` are kept.
std::size_t edit_distance(std::string_view from, std::string_view to) {
    std::vector<std::size_t> before(to.size() + 1);
    std::vector<std::size_t> row(to.size() + 1);
    std::vector<std::size_t> next(to.size() + 1);
    std::iota(row.begin(), row.end(), std::size_t{0});
    for (std::size_t i = 1; i <= from.size(); ++i) {
        next[0] = i;
        for (std::size_t j = 1; j <= to.size(); ++j) {
            const std::size_t change = row[j - 1] + (from[i - 1] == to[j - 1] ? 0 : 1);
            next[j] = std::min({row[j] + 1, next[j - 1] + 1, change});
            if (i > 1 && j > 1 && from[i - 1] == to[j - 2] && from[i - 2] == to[j - 1]) {
                next[j] = std::min(next[j], before[j - 2] + 1);
            }
        }
        before = std::exchange(row, std::exchange(next, std::move(before)));
    }
    return row[to.size()];
}

template <class Range> std::string nearest_in(std::string_view word, const Range& known) {
    std::string best;
    std::size_t best_distance = std::string_view::npos;
    for (const auto& name : known) {
        const std::size_t distance = edit_distance(word, name);
        if (distance <= std::max<std::size_t>(1, name.size() / 3) && distance < best_distance) {
            best = name;
            best_distance = distance;
        }
    }
    return best;
}

} // namespace

std::string nearest(std::string_view word, std::span<const std::string_view> known) {
    return nearest_in(word, known);
}

std::string nearest(std::string_view word, const std::vector<std::string>& known) {
    return nearest_in(word, known);
}

} // namespace sandbox
