#include "core/plan/nearest.hpp"

#include <algorithm>
#include <numeric>

namespace sandbox {

namespace {

/// Levenshtein distance, one row at a time.
std::size_t edit_distance(std::string_view from, std::string_view to) {
    std::vector<std::size_t> row(to.size() + 1);
    std::iota(row.begin(), row.end(), std::size_t{0});
    for (std::size_t i = 1; i <= from.size(); ++i) {
        std::size_t diagonal = row[0];
        row[0] = i;
        for (std::size_t j = 1; j <= to.size(); ++j) {
            const std::size_t change = diagonal + (from[i - 1] == to[j - 1] ? 0 : 1);
            diagonal = row[j];
            row[j] = std::min({row[j] + 1, row[j - 1] + 1, change});
        }
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
