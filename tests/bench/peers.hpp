// Peers that are given the same work as sandbox: its plan, in their words.
#pragma once

#include <filesystem>
#include <nlohmann/json_fwd.hpp>

namespace sandbox::bench {

/// Writes the plan of bench-peer, out of `plan` (--dry-run=json) and the compiled filter.
void write_peer_plan(const nlohmann::json& plan, const std::filesystem::path& filter,
                     const std::filesystem::path& target);

/// Writes an OCI bundle for crun(1) into the directory `bundle`, with the maps, namespaces, masks and system
/// directories of the plan. See the OCI's runtime-spec. \param memory the limit in bytes; 0: none.
void write_bundle(const nlohmann::json& plan, const std::filesystem::path& bundle, long memory = 0);

/// Debian 12's crun refuses a machine whose cgroups are half v1: it is shown a v2 tree, for this process and what it
/// starts alone. Nothing where no root does it.
void show_unified_cgroups();

} // namespace sandbox::bench
