// One cgroup of the unified hierarchy: its limits, its processes, what it counts. See the kernel's
// admin-guide/cgroup-v2.rst.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/base/fd.hpp"
#include "core/plan/plan.hpp"

namespace sandbox {

/// What a cgroup has counted. Nothing where the kernel does not count it, or the controller is not there.
struct CgroupUsage {
    std::optional<std::uint64_t> user_microseconds;
    std::optional<std::uint64_t> system_microseconds;
    std::optional<std::uint64_t> throttled_microseconds; ///< for how long cpu.max held it back
    std::optional<std::uint64_t> memory_now;             ///< bytes
    std::optional<std::uint64_t> memory_peak;            ///< bytes
    std::optional<std::uint64_t> pids_now;               ///< processes and threads
    std::optional<std::uint64_t> pids_peak;
    std::optional<std::uint64_t> forks_refused; ///< by pids.max
    std::optional<std::uint64_t> oom_kills; ///< processes that the kernel killed for want of memory, those below too
    std::optional<std::uint64_t> own_oom_kills; ///< without those below
    std::optional<std::uint64_t> limit_reached; ///< how often its own memory.max was reached and nothing could be freed
    std::optional<std::uint64_t> bytes_read;
    std::optional<std::uint64_t> bytes_written;
};

namespace cgroup {

/// What the cgroup `directory` has counted; nothing of one that is gone.
[[nodiscard]] CgroupUsage usage(const std::string& directory);

} // namespace cgroup

/// Owns a directory below /sys/fs/cgroup; it goes with the scope of this object, with what is in it.
class Cgroup {
public:
    /// Makes the directory `path`. \throws Error
    explicit Cgroup(std::string path);
    Cgroup(const Cgroup&) = delete;
    Cgroup& operator=(const Cgroup&) = delete;
    ~Cgroup();

    [[nodiscard]] const std::string& path() const { return path_; }

    /// Moves a process in. \throws Error
    void add(pid_t pid) const;
    /// Sets one limit; of memory, a process that is killed for it takes all others along. \throws Error
    void set(const CgroupLimit& limit) const;
    /// Kills every process in it, those that are just being forked too.
    void kill() const;

    [[nodiscard]] CgroupUsage usage() const { return cgroup::usage(path_); }

private:
    std::string path_;
};

namespace cgroup {

/// The directory of the cgroup of a process. \throws Error where it is not seen.
[[nodiscard]] std::string path_of(pid_t pid);

/// Writes a cgroup's file. \return false and errno where the kernel refuses.
[[nodiscard]] bool write(const std::string& directory, const char* file, std::string_view text);

/// Removes a cgroup, and those that were made in it; waits up to ten seconds for what was killed in them to go.
/// \return false and errno where it stays.
bool remove(const std::string& directory);

/// The controllers that children of `directory` can have.
[[nodiscard]] std::string controllers(const std::string& directory);

} // namespace cgroup

} // namespace sandbox
