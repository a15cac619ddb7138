// What runs of a command have shown to be missing: the delta to a base profile, as narrow as a person would write it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/plan/path_grant.hpp"
#include "core/plan/path_verdict.hpp"
#include "core/plan/seccomp_grant.hpp"

namespace sandbox {

/// A path that was refused, or written and lost; the host check has been made.
struct PathRefusal {
    PathVerdict verdict;
    PathIntent intent = PathIntent::look;
    PathFact found;      ///< what the host has at the verdict's host path
    std::string program; ///< as the kernel has it; anything but NUL may be in it
    std::uint64_t count = 1;
};

/// A system call that the filter refused.
struct CallRefusal {
    std::string name;
    CallNeeds needs;
    std::string program;
    std::uint64_t count = 1;
};

/// A name or an address that the allow-list of the network refused.
struct NameRefusal {
    std::string name;
    std::uint16_t port = 0; ///< 0: not known
    std::string program;    ///< empty: not known
    std::uint64_t count = 1;
};

struct Observations {
    std::vector<PathRefusal> paths;
    std::vector<CallRefusal> calls;
    std::vector<NameRefusal> names;
    std::vector<std::string> hidden; ///< secrets that were looked at: paths of the host
};

/// Who saw something, and how often.
struct Sightings {
    std::vector<std::string> programs; ///< escaped, sorted, few
    std::uint64_t count = 0;           ///< 0: not known
    std::uint32_t runs = 0;            ///< in how many runs; 0: a person wrote it

    bool operator==(const Sightings&) const = default;
};

/// One word of a list of the profile.
struct LearnedLine {
    enum class Kind : std::uint8_t { read_only, read_write, network, system_call, rule, capability };

    Kind kind = Kind::read_only;
    std::string word; ///< as the profile has it, not yet quoted; of a rule the call that it allows
    PathGrant path;   ///< for the first two kinds
    Sightings seen;
};

/// Something that was refused and is not granted.
struct LearnedRemark {
    std::string what;   ///< escaped: "~/.ssh/id_rsa"
    std::string reason; ///< one line
    bool is_secret = false;
    Sightings seen;
};

struct Learned {
    std::uint32_t runs = 1;
    std::vector<LearnedLine> lines;     ///< sorted: by kind, then by path or name
    std::vector<LearnedRemark> remarks; ///< secrets first
    std::size_t lines_left_out = 0;     ///< beyond the most that are kept
    std::size_t remarks_left_out = 0;
};

/// Together at most 30: more is for nobody to read.
constexpr std::size_t kMostLearnedLines = 24;
constexpr std::size_t kMostLearnedRemarks = 6;

/// The delta of one run.
[[nodiscard]] Learned learn(const Observations& seen, const CallerPlaces& places);

/// Two deltas as one: what both have was seen in the runs of both.
[[nodiscard]] Learned join(const Learned& earlier, const Learned& later, const CallerPlaces& places);

} // namespace sandbox
