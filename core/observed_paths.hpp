// The names of files that CMD gave to the kernel, as they stand in its memory while its call waits: seccomp_unotify(2),
// process_vm_readv(2). What CMD writes there while we look spoils its own report and nothing else: the call goes on as
// it would have.
#pragma once

#include <linux/seccomp.h>
#include <sys/types.h>

#include <compare>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <tuple>

#include "core/path_calls.hpp"

namespace sandbox {

/// One name, asked for in one way.
struct ObservedPath {
    std::string path; ///< absolute as CMD sees it; not normalised
    PathUse use = PathUse::look;
    bool follows_last_link = true;
    bool after_make = false; ///< CMD had called for the name to be made: what it finds there may be its own

    /// Shorter names first: they are told where there is no time or no room for all, so that no flood of long ones
    /// that CMD makes up hides another's.
    std::strong_ordering operator<=>(const ObservedPath& other) const;
    bool operator==(const ObservedPath&) const = default;
};

struct Sighting {
    std::string program; ///< the first that asked, as it called itself
    std::uint64_t count = 0;
};

/// Used by one thread at a time: the one that answers CMD's calls, and when that has ended the one that reports.
class ObservedPaths {
public:
    /// \param changes_host whether CMD changes the files that this process sees: what a call would find is settled
    /// before it goes on, since afterwards it cannot be told any more.
    explicit ObservedPaths(bool changes_host = false) : changes_host_(changes_host) {}

    /// Looks at the call of `pid` (as this process sees it), which waits. \param is_valid whether it still does, and
    /// the number was not another's meanwhile; \param program its name.
    void see(pid_t pid, const seccomp_data& call, const std::function<bool()>& is_valid,
             const std::function<std::string()>& program);

    /// All that was seen; nothing is left here.
    [[nodiscard]] std::map<ObservedPath, Sighting> take() { return std::move(seen_); }
    /// Names that found no place, or that we may not look at.
    [[nodiscard]] std::uint64_t left_out() const { return left_out_; }

    /// As many names, and as many bytes of them, are kept: what CMD asks for without end costs no memory.
    static constexpr std::size_t kMostBytes = std::size_t{3} * 1024 * 1024;
    static constexpr std::size_t kMost = 20'000;

private:
    /// Whether CMD has called for the name to be made, and the call does not change it.
    [[nodiscard]] bool is_after_make(const ObservedPath& named) const;

    bool changes_host_;
    std::map<ObservedPath, Sighting> seen_;
    std::set<std::string> made_; ///< normalised
    std::size_t bytes_ = 0;
    std::uint64_t left_out_ = 0;
};

} // namespace sandbox
