// The registry of a user's runs: $XDG_RUNTIME_DIR/sandbox/runs/NAME, a directory each, locked while its supervisor
// lives.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/fd.hpp"
#include "core/process_identity.hpp"

namespace sandbox {

/// The files in the directory of a run.
inline constexpr const char* kRecordFile = "record"; ///< the run as cmd/common/run_record.hpp writes it
inline constexpr const char* kStatusFile = "status"; ///< empty until the run ends; who waits opens it before
inline constexpr const char* kFilterFile = "filter"; ///< CMD's seccomp program, as the kernel takes it
/// A link whose text is "PID.START_TIME": there before the record is, so that a run which starts can be ended too.
inline constexpr const char* kSupervisorLink = "supervisor";
/// An empty file: the entry of a detached run, which stays after its end until somebody removes it.
inline constexpr const char* kDetachedMark = "detached";

/// What a name of a run can be: 1 to 64 letters, digits, dots and dashes, the first a letter or a digit.
[[nodiscard]] bool is_run_name(std::string_view name);

/// A run's own entry, the supervisor's: made before any kernel state, gone with this object. The flock(2) on its
/// directory says that the supervisor lives; whoever finds one without it clears what is left, as each run does at its
/// end.
class RunEntry {
public:
    /// Takes `name`. \throws Error where another run has it, or the registry cannot be used.
    static RunEntry with_name(const std::string& registry, const std::string& name);
    /// Makes a name after `command`, a path or a word. \throws Error where the registry cannot be used.
    static RunEntry with_made_name(const std::string& registry, std::string_view command);

    RunEntry(RunEntry&&) noexcept = default;
    RunEntry& operator=(RunEntry&&) = delete;
    RunEntry(const RunEntry&) = delete;
    RunEntry& operator=(const RunEntry&) = delete;
    ~RunEntry();

    [[nodiscard]] const std::string& name() const { return name_; }

    /// Writes the file `file` of the entry, whole or not at all. \throws Error
    void write(const char* file, std::string_view content) const;
    /// How the run has ended, for those who have opened kStatusFile. Once.
    void tell_status(std::string_view text) const;

    /// The entry is a detached run's. Room for its status is taken now: the disk may be full at the end. \throws Error
    void mark_detached() const;
    /// It stays when this object goes. Before: mark_detached.
    void keep() { stays_ = true; }

    /// For further files. Lives as long as this object.
    [[nodiscard]] int directory() const { return directory_.get(); }

private:
    RunEntry(Fd runs, std::string name, Fd directory);

    Fd runs_;
    std::string name_;
    Fd directory_;
    Fd status_;
    bool stays_ = false;
};

/// An entry, as others find it.
struct FoundRun {
    std::string name;
    Fd directory;
};

/// The entries of the runs whose supervisors live, by name; what was left by others is cleared. A registry that is not
/// there is an empty one. \throws Error where it is not to be trusted, or cannot be read.
[[nodiscard]] std::vector<FoundRun> find_runs(const std::string& registry);

/// One of them. \return nothing where there is none of this name.
[[nodiscard]] std::optional<FoundRun> find_run(const std::string& registry, const std::string& name);

/// The detached runs whose supervisors have ended, by name. \throws Error as find_runs
[[nodiscard]] std::vector<FoundRun> find_ended_runs(const std::string& registry);

/// Removes the entry of a run that has ended. \throws Error where it cannot be removed.
void remove_run(const std::string& registry, const FoundRun& run);

/// Whether `run` was detached, so that its entry stays.
[[nodiscard]] bool is_detached(const FoundRun& run);

/// Whether the supervisor of `run` still lives.
[[nodiscard]] bool is_alive(const FoundRun& run);

/// The supervisor of `run`. \return nothing where it has not come so far, or the entry is gone.
[[nodiscard]] std::optional<ProcessIdentity> supervisor_of(const FoundRun& run);

/// Clears what a supervisor that was killed has left of `run`. Does nothing where it lives, was detached, or all is
/// gone.
void clear_run(const std::string& registry, const FoundRun& run);

/// A file of the entry, up to `limit` bytes. \return nothing where there is none.
[[nodiscard]] std::optional<std::string> read_file_of(const FoundRun& run, const char* file, std::size_t limit);

} // namespace sandbox
