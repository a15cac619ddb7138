// --explain: which of the files that CMD asked for the profile kept from it. The Plan says what CMD found; the host,
// asked as the user, what it would have found without the sandbox. Where the two are the same nothing is told.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "core/observed_paths.hpp"
#include "core/plan/host.hpp"
#include "core/plan/path_grant.hpp"
#include "core/plan/path_verdict.hpp"
#include "core/plan/plan.hpp"

namespace sandbox {

/// One name that CMD did not get, or wrote and lost.
struct RefusedFile {
    PathVerdict verdict;
    PathIntent intent = PathIntent::look;
    PathAdvice advice;
    std::string program; ///< of the strongest of the ways in which it was asked for
    std::uint64_t count = 0;
};

/// Sorted: what was refused before what was lost, then by path. A name that was asked for in several ways is told
/// once as refused and once as lost, each with the strongest of its ways.
/// \param left_out grows by the names for which the time did not suffice, for CMD can make them slow to look up, and by
/// those that found no place.
[[nodiscard]] std::vector<RefusedFile> refused_files(std::map<ObservedPath, Sighting> seen, const Plan& plan,
                                                     const Host& host, std::uint64_t& left_out);

/// As many files, and as many bytes of their names, are told: in the report each stands several times, and escaped.
constexpr std::size_t kMostRefusedFiles = 2000;
constexpr std::size_t kMostRefusedBytes = std::size_t{96} * 1024;

/// What would keep each of these names, if CMD made it in a private place; all absolute, as CMD named them.
[[nodiscard]] std::vector<PathAdvice> advise_on_new_files(const std::vector<std::string>& inside, const Plan& plan,
                                                          const Host& host);

} // namespace sandbox
