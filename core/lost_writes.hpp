// What CMD left in the sandbox's private places, where the host has a directory that would have kept it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/plan/plan.hpp"

namespace sandbox {

/// A file that is gone with the sandbox, or all those of one directory.
struct LostWrites {
    std::string path; ///< as CMD named it: of the file, or of the directory that they have in common
    std::uint64_t files = 0;
    std::uint64_t bytes = 0;
    const RootEntry* place = nullptr; ///< the private place

    [[nodiscard]] bool is_file() const { return files == 1; }
};

struct AllLostWrites {
    std::vector<LostWrites> list; ///< the greatest first
    bool is_complete = true;      ///< false: CMD left more names than are looked at, or some that we may not read
};

/// One entry for each name in a private place. Not told are empty files and what is temporary on the host as well:
/// /tmp and the like, hier(7). No file is opened and no link followed: CMD chose all names and owns all directories.
/// \param stage root::Assembled's; negative: nothing. Before: nothing of the sandbox runs.
/// \param plan must outlive the result.
[[nodiscard]] AllLostWrites lost_writes(int stage, const RootPlan& plan);

} // namespace sandbox
