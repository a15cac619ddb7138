// The running sandboxes of the caller, as the verbs find them.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cmd/common/run_record.hpp"
#include "core/base/fd.hpp"
#include "core/run_registry.hpp"

namespace sandbox::ctl {

/// Environments and groups can be long; a record that is longer, in bytes, was not written by us.
inline constexpr std::size_t kLongestRecord = std::size_t{64} << 20U;

/// Where the caller's runs are recorded: Plan::registry, without a look at the rest of the machine.
[[nodiscard]] std::string run_registry();

/// The run of that name. \throws Error naming the nearest, where none runs.
/// \param said the names of the command line: none of them was meant by another.
[[nodiscard]] FoundRun expect_run(const std::string& registry, const std::string& name,
                                  const std::vector<std::string>& said = {});

/// The run of that name, or a detached one that has ended. \throws Error naming the nearest, where there is none.
/// \param said see expect_run
[[nodiscard]] FoundRun expect_kept_run(const std::string& registry, const std::string& name,
                                       const std::vector<std::string>& said = {});

/// What a run has left about its end. Opened while the run lasts, it can be read after its end.
[[nodiscard]] Fd open_status(const FoundRun& run);

/// How a run ended: sandbox(1), STATUS RECORDS.
struct RunEnd {
    int status = 0;
    std::string reason;
};
/// \return nothing where it did not say so: its CMD did not start, or its supervisor was killed.
[[nodiscard]] std::optional<RunEnd> read_end(const Fd& status);

/// \return nothing for one that is still being started.
[[nodiscard]] std::optional<RunRecord> record_of(const FoundRun& run);

/// A pidfd of the supervisor, which cannot be another's: the process has the start time that stands in the entry, and
/// the entry was still locked after that. \return nothing where the run has ended.
/// \throws Error where it lives and cannot be seen from here.
[[nodiscard]] Fd open_supervisor(const FoundRun& run);

} // namespace sandbox::ctl
