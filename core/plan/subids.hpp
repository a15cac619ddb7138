// The lines of /etc/subuid and /etc/subgid: subuid(5).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/plan/host.hpp"

namespace sandbox {

/// What a file of subordinate ranges says.
struct SubidFile {
    std::vector<IdRange> mine;     ///< the ranges of one user, in the file's order
    std::uint64_t highest_end = 0; ///< the first id above every range of the file
};

/// Reads the file's text for the user of this name or number. Lines that are no ranges are left out, as
/// newuidmap(1) leaves them out.
[[nodiscard]] SubidFile read_subid_file(std::string_view text, std::string_view user_name, std::uint32_t uid);

/// Reads what getsubids(1) prints: "0: dev 100000 65536".
[[nodiscard]] std::vector<IdRange> read_getsubids_output(std::string_view text);

/// The start of 65536 ids that neither file gives to anybody, at 100000 or above and a multiple of 65536 apart
/// from there; 0 where all are taken.
[[nodiscard]] std::uint32_t suggest_subid_range(const SubidFile& subuids, const SubidFile& subgids);

/// The command that gives the caller a range: "sudo usermod --add-subuids ...".
[[nodiscard]] std::string subid_fix(const Host& host);

} // namespace sandbox
