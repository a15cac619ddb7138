// What runs of a command have shown to be missing, in the making: merged, and made few lines.
#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "core/plan/learned.hpp"
#include "core/plan/path_grant.hpp"
#include "core/plan/paths.hpp"

namespace sandbox {

/// Reasons of remarks that are told of what other remarks or lines may tell better.
inline constexpr std::string_view kLookedAt = "it was looked at, and is hidden";
inline constexpr std::string_view kLost = "what CMD changed in it is lost at the end"; // and how to keep it

/// The sightings of two deltas, told apart: what several lines of one saw, it saw in as many runs as the one of them
/// that saw it most; what both saw adds up.
struct SeenByBoth {
    Sightings earlier;
    Sightings later;

    [[nodiscard]] Sightings sum() const;
    void add(const SeenByBoth& more);
};

/// One run saw it. \param program as the kernel has it; empty: not known.
[[nodiscard]] SeenByBoth sighting(std::string_view program, std::uint64_t count);

/// For the comment of a remark: escaped, and not too long.
[[nodiscard]] std::string remark_words(std::string_view text);

/// The delta in the making: one entry for each path, name and call.
class LearnedDelta {
public:
    using Kind = LearnedLine::Kind;

    /// \param places must outlive it.
    explicit LearnedDelta(const CallerPlaces& places) : places_(places) {}

    void add(const PathGrant& grant, const SeenByBoth& seen);
    void add(Kind kind, const std::string& word, const SeenByBoth& seen);
    /// \param what as remark_words gives it.
    void remark(const std::string& what, std::string_view reason, bool is_secret, const SeenByBoth& seen);

    /// Whether the directory may be granted for what nobody asked of all that it holds: it is narrow, and as far as is
    /// known no secret is in it.
    [[nodiscard]] bool may_be_a_line(const std::string& directory) const;

    /// Fewer lines: what a directory holds goes with it, and many files of one directory are the directory.
    void collapse();
    [[nodiscard]] Learned finish(std::uint32_t runs);

private:
    struct Path {
        PathGrant grant;
        SeenByBoth seen;
    };
    struct ByPath {
        bool operator()(const std::pair<std::string, std::string>& left,
                        const std::pair<std::string, std::string>& right) const {
            const paths::Before before;
            return before(left.first, right.first) || (left.first == right.first && left.second < right.second);
        }
    };
    struct Remark {
        bool is_secret = false;
        std::string what;
        std::string reason;

        /// Secrets first.
        auto operator<=>(const Remark& other) const {
            const std::strong_ordering secrets = other.is_secret <=> is_secret;
            return secrets != 0 ? secrets : std::tie(what, reason) <=> std::tie(other.what, other.reason);
        }
        bool operator==(const Remark&) const = default;
    };

    static void merge(Path& into, const PathGrant& grant, const SeenByBoth& seen);
    [[nodiscard]] static bool covers(const PathGrant& directory, const PathGrant& grant);
    void drop_covered();
    [[nodiscard]] std::string full_path(const std::string& shown) const;
    void drop_told();
    void fold_lost();
    [[nodiscard]] bool holds_a_known_secret(const std::string& directory) const;
    bool collapse_some();
    void collapse_many(std::size_t many, bool directories);
    void add_line(Learned& learned, const Path& path);
    static void keep_the_most_seen(Learned& learned);
    static void sort_lines(std::vector<LearnedLine>& lines);

    const CallerPlaces& places_;
    std::map<std::pair<std::string, std::string>, Path, ByPath> paths_;
    std::map<std::pair<Kind, std::string>, SeenByBoth> words_;
    std::map<Remark, SeenByBoth> remarks_;
};

} // namespace sandbox
