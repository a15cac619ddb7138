#include "core/plan/learned.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <string_view>
#include <tuple>
#include <utility>

#include <fmt/format.h>

#include "core/base/error.hpp"
#include "core/plan/address.hpp"
#include "core/plan/allow_plan.hpp"
#include "core/plan/paths.hpp"

namespace sandbox {

namespace {

using Kind = LearnedLine::Kind;

constexpr std::size_t kMostPrograms = 4;
constexpr std::size_t kLongestProgram = 64;
constexpr std::size_t kLongestShown = 256;
constexpr const char* kOtherPrograms = "others";
constexpr const char* kLookedAt = "it was looked at, and is hidden";
constexpr std::string_view kLost = "what CMD changed in it is lost at the end";

/// Runtimes of languages look there for the memory that they may use.
constexpr std::string_view kCgroups = "/sys/fs/cgroup";

/// So many files of one directory are the directory.
constexpr std::size_t kManyFiles = 4;

void limit_programs(std::vector<std::string>& programs) {
    const bool had_others = std::erase(programs, kOtherPrograms) > 0;
    std::ranges::sort(programs);
    programs.erase(std::unique(programs.begin(), programs.end()), programs.end());
    const bool too_many = programs.size() > kMostPrograms;
    programs.resize(std::min(programs.size(), kMostPrograms));
    if (had_others || too_many) {
        programs.emplace_back(kOtherPrograms);
    }
}

/// The sightings of two deltas, told apart: what several lines of one saw, it saw in as many runs as the one of them
/// that saw it most; what both saw adds up.
struct SeenByBoth {
    Sightings earlier;
    Sightings later;

    [[nodiscard]] Sightings sum() const {
        Sightings both = earlier;
        add(both, later);
        both.runs = earlier.runs + later.runs;
        return both;
    }
    void add(const SeenByBoth& more) {
        add(earlier, more.earlier);
        add(later, more.later);
    }

private:
    static void add(Sightings& to, const Sightings& more) {
        to.programs.insert(to.programs.end(), more.programs.begin(), more.programs.end());
        limit_programs(to.programs);
        to.count += more.count;
        to.runs = std::max(to.runs, more.runs);
    }
};

/// For a comment, where some characters have a meaning (cmd/common/learned_toml.hpp).
std::string comment_words(std::string_view text, std::string_view special) {
    std::string result;
    for (const char byte : escaped(text)) {
        if (special.find(byte) == std::string_view::npos) {
            result += byte;
        } else {
            result += fmt::format("\\x{:02x}", byte);
        }
    }
    return result;
}

std::string remark_words(std::string_view text) {
    return comment_words(text.substr(0, kLongestShown), "#") + (text.size() > kLongestShown ? "..." : "");
}

SeenByBoth sighting(const std::string& program, std::uint64_t count) {
    Sightings seen;
    if (!program.empty()) {
        seen.programs.push_back(comment_words(std::string_view(program).substr(0, kLongestProgram), "#,:"));
    }
    seen.count = count;
    seen.runs = 1;
    return {.earlier = {}, .later = std::move(seen)};
}

/// The delta in the making: one entry for each path, name and call.
class Delta {
public:
    explicit Delta(const CallerPlaces& places) : places_(places) {}

    void add(const PathGrant& grant, const SeenByBoth& seen) {
        const auto [found, is_new] = paths_.try_emplace({grant.path, grant.dest}, Path{grant, seen});
        if (!is_new) {
            merge(found->second, grant, seen);
        }
    }

    void add(Kind kind, const std::string& word, const SeenByBoth& seen) {
        const auto [found, is_new] = words_.try_emplace({kind, word}, seen);
        if (!is_new) {
            found->second.add(seen);
        }
    }

    void remark(const std::string& what, const std::string& reason, bool is_secret, const SeenByBoth& seen) {
        const auto [found, is_new] = remarks_.try_emplace({!is_secret, what, reason}, seen);
        if (!is_new) {
            found->second.add(seen);
        }
    }

    /// Fewer lines: what a directory holds goes with it, and many files of one directory are the directory.
    void collapse() {
        drop_told();
        fold_lost();
        drop_covered();
        collapse_many(kManyFiles, false);
        while (paths_.size() + words_.size() > kMostLearnedLines && collapse_some()) {
        }
    }

    Learned finish(std::uint32_t runs) {
        Learned learned;
        learned.runs = runs;
        for (const auto& [name, path] : paths_) {
            add_line(learned, path);
        }
        for (const auto& [name, seen] : words_) {
            learned.lines.push_back({name.first, name.second, {}, seen.sum()});
        }
        for (const auto& [name, seen] : remarks_) {
            const auto& [is_harmless, what, reason] = name;
            learned.remarks.push_back({what, reason, !is_harmless, seen.sum()});
        }
        keep_the_most_seen(learned);
        sort_lines(learned.lines);
        if (learned.remarks.size() > kMostLearnedRemarks) {
            learned.left_out += learned.remarks.size() - kMostLearnedRemarks;
            learned.remarks.resize(kMostLearnedRemarks);
        }
        return learned;
    }

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

    static void merge(Path& into, const PathGrant& grant, const SeenByBoth& seen) {
        into.grant.writable = into.grant.writable || grant.writable;
        into.grant.is_directory = into.grant.is_directory || grant.is_directory;
        into.seen.add(seen);
    }

    [[nodiscard]] static bool covers(const PathGrant& directory, const PathGrant& grant) {
        const std::string& shown = grant.dest.empty() ? grant.path : grant.dest;
        const bool in_place = directory.dest.empty() && grant.dest.empty();
        return directory.is_directory && in_place && paths::is_below(shown, directory.path) &&
               (directory.writable || !grant.writable);
    }

    void drop_covered() {
        for (auto one = paths_.begin(); one != paths_.end();) {
            const auto wider = std::ranges::find_if(
                paths_, [&](const auto& other) { return covers(other.second.grant, one->second.grant); });
            if (wider == paths_.end()) {
                ++one;
                continue;
            }
            wider->second.seen.add(one->second.seen);
            one = paths_.erase(one);
        }
    }

    [[nodiscard]] std::string full_path(const std::string& shown) const {
        return shown.starts_with("~/") ? places_.home + shown.substr(1) : shown;
    }

    /// A secret that was looked at needs no word where there is one about what was wanted of it.
    void drop_told() {
        std::erase_if(remarks_, [&](const auto& remark) {
            const auto& [is_harmless, what, reason] = remark.first;
            const std::string path = full_path(what);
            const auto tells = [&](const auto& other) {
                const auto& [other_is_harmless, other_what, other_reason] = other.first;
                return other_reason != kLookedAt && paths::is_within(full_path(other_what), path);
            };
            return reason == kLookedAt && std::ranges::any_of(remarks_, tells);
        });
    }

    /// What keeps a directory keeps what is below it.
    void fold_lost() {
        std::erase_if(remarks_, [&](const auto& remark) {
            const std::string path = full_path(std::get<1>(remark.first));
            const auto keeps = [&](const auto& one) {
                const PathGrant& grant = one.second.grant;
                return grant.writable && grant.dest.empty() && paths::is_within(path, grant.path);
            };
            return std::get<2>(remark.first).starts_with(kLost) && std::ranges::any_of(paths_, keeps);
        });
        for (auto one = remarks_.begin(); one != remarks_.end();) {
            const auto holds = [&](const auto& other) {
                const bool are_lost =
                    std::get<2>(one->first).starts_with(kLost) && std::get<2>(other.first).starts_with(kLost);
                return are_lost &&
                       paths::is_below(full_path(std::get<1>(one->first)), full_path(std::get<1>(other.first)));
            };
            const auto wider = std::ranges::find_if(remarks_, holds);
            if (wider == remarks_.end()) {
                ++one;
                continue;
            }
            wider->second.add(one->second);
            one = remarks_.erase(one);
        }
    }

    /// One that was asked for: the directory as a whole would grant it after all.
    [[nodiscard]] bool holds_a_known_secret(const std::string& directory) const {
        return std::ranges::any_of(remarks_, [&](const auto& remark) {
            const auto& [is_harmless, what, reason] = remark.first;
            return !is_harmless && paths::is_below(full_path(what), directory);
        });
    }

    [[nodiscard]] bool may_be_a_line(const std::string& directory) const {
        return paths::depth(directory) > 1 && directory != "/var/tmp" && why_too_wide(directory, places_).empty() &&
               !paths::is_within(directory, "/dev") && !paths::is_within(directory, "/sys") &&
               !holds_a_known_secret(directory);
    }

    /// Where there are too many lines, fewer files are a directory, and directories are the one that holds them.
    /// \return whether there are fewer now.
    bool collapse_some() {
        for (std::size_t many = kManyFiles; many >= 2; --many) {
            const std::size_t before = paths_.size();
            collapse_many(many, true);
            if (paths_.size() < before) {
                return true;
            }
        }
        return false;
    }

    /// \param directories they count too: only where there is no room for narrower lines.
    void collapse_many(std::size_t many, bool directories) {
        for (const bool writable : {true, false}) {
            std::map<std::string, std::size_t> counts;
            for (const auto& [name, path] : paths_) {
                const bool counted = path.grant.dest.empty() && path.grant.writable == writable &&
                                     (directories || !path.grant.is_directory);
                if (counted) {
                    ++counts[paths::parent(path.grant.path)];
                }
            }
            for (const auto& [directory, count] : counts) {
                if (count >= many && may_be_a_line(directory)) {
                    add({.writable = writable, .is_directory = true, .path = directory, .dest = {}}, {});
                }
            }
        }
        drop_covered();
    }

    void add_line(Learned& learned, const Path& path) {
        std::optional<std::string> word = profile_word(path.grant, places_);
        if (!word) {
            remark(remark_words(path.grant.path), "its name is no UTF-8: no profile can hold it, only an option", false,
                   path.seen);
            return;
        }
        const Kind kind = path.grant.writable ? Kind::read_write : Kind::read_only;
        learned.lines.push_back({kind, std::move(*word), path.grant, path.seen.sum()});
    }

    static void keep_the_most_seen(Learned& learned) {
        if (learned.lines.size() <= kMostLearnedLines) {
            return;
        }
        std::ranges::stable_sort(learned.lines, [](const LearnedLine& left, const LearnedLine& right) {
            const auto weight = [](const Sightings& seen) {
                return std::tuple(seen.runs == 0, seen.runs, seen.count); // what a person wrote stays
            };
            return weight(left.seen) > weight(right.seen);
        });
        learned.left_out += learned.lines.size() - kMostLearnedLines;
        learned.lines.resize(kMostLearnedLines);
    }

    static void sort_lines(std::vector<LearnedLine>& lines) {
        std::ranges::stable_sort(lines, [](const LearnedLine& left, const LearnedLine& right) {
            if (left.kind != right.kind) {
                return left.kind < right.kind;
            }
            if (left.path.path != right.path.path) {
                return paths::Before()(left.path.path, right.path.path);
            }
            return left.word < right.word;
        });
    }

    const CallerPlaces& places_;
    std::map<std::pair<std::string, std::string>, Path, ByPath> paths_;
    std::map<std::pair<Kind, std::string>, SeenByBoth> words_;
    std::map<std::tuple<bool, std::string, std::string>, SeenByBoth> remarks_; ///< secrets first
};

std::string shown(const std::string& path, const CallerPlaces& places) {
    const auto word = profile_word({.writable = false, .is_directory = false, .path = path, .dest = {}}, places);
    const std::string text = word.value_or(path);
    return remark_words(text);
}

/// The reason, and what would do it all the same.
std::string reason_with(std::string_view reason, const PathGrant& grant, const char* does, const CallerPlaces& places) {
    return grant.path.size() > kLongestShown ? std::string(reason)
                                             : fmt::format("{}; {} {}", reason, option_words(grant, places), does);
}

void learn_path(Delta& delta, const PathRefusal& refusal, const CallerPlaces& places) {
    if (refusal.verdict.effect == PathEffect::works) {
        return;
    }
    const SeenByBoth seen = sighting(refusal.program, refusal.count);
    const PathAdvice advice = advise(refusal.verdict, refusal.intent, refusal.found, places);
    if (refusal.verdict.effect == PathEffect::lost) {
        // It worked: whether it shall stay is for a person to say. What is in /tmp is never missed.
        if (advice.grant) {
            delta.remark(shown(advice.grant->path, places), reason_with(kLost, *advice.grant, "keeps it", places),
                         false, seen);
        }
        return;
    }
    if (advice.grant && paths::is_within(advice.grant->path, kCgroups)) {
        const PathGrant all{.writable = false, .is_directory = true, .path = std::string(kCgroups), .dest = {}};
        delta.remark(shown(all.path, places),
                     reason_with("the machine's limits, which programs do without", all, "shows it", places), false,
                     seen);
        return;
    }
    if (advice.grant) {
        delta.add(*advice.grant, seen);
        return;
    }
    const bool was_looked_at = refusal.found.kind == PathFact::Kind::directory && refusal.intent == PathIntent::look;
    if (was_looked_at && !advice.is_secret) {
        return;
    }
    const std::string& path = refusal.verdict.host_path.empty() ? refusal.verdict.inside : refusal.verdict.host_path;
    delta.remark(shown(path, places),
                 advice.withheld ? reason_with(advice.reason, *advice.withheld, "shows it", places) : advice.reason,
                 advice.is_secret, seen);
}

void learn_call(Delta& delta, const CallRefusal& refusal) {
    const SeenByBoth seen = sighting(refusal.program, refusal.count);
    if (!refusal.needs.advice.empty()) {
        delta.remark(remark_words(refusal.name), refusal.needs.advice, false, seen);
        return;
    }
    delta.add(refusal.needs.rule ? Kind::rule : Kind::system_call, refusal.name, seen);
    if (!refusal.needs.capability.empty()) {
        delta.add(Kind::capability, refusal.needs.capability, seen);
    }
}

/// 169.254.0.0/16 and fe80::/10, where the metadata services of the clouds are, and those of them that are elsewhere.
bool is_of_metadata(const std::string& name) {
    constexpr auto kNames = std::to_array<std::string_view>(
        {"metadata.google.internal", "metadata.goog", "100.100.100.200", "fd00:ec2::254", "192.0.0.192"});
    const std::optional<Address> address = parse_address(name);
    const bool is_near = address && (address->is_ipv6 ? address->bytes[0] == 0xfe && (address->bytes[1] & 0xc0) == 0x80
                                                      : address->bytes[0] == 169 && address->bytes[1] == 254);
    return is_near || std::ranges::find(kNames, std::string_view(address ? address->text : name)) != kNames.end();
}

/// Lower case, without a final dot, as network.allow compares names.
std::string plain_name(std::string name) {
    std::ranges::transform(name, name.begin(), [](char byte) {
        return byte >= 'A' && byte <= 'Z' ? static_cast<char>(byte - 'A' + 'a') : byte;
    });
    if (name.ends_with('.')) {
        name.pop_back();
    }
    return name;
}

void learn_name(Delta& delta, const NameRefusal& refusal) {
    const SeenByBoth seen = sighting(refusal.program, refusal.count);
    const std::string name = plain_name(refusal.name);
    const std::optional<Address> address = parse_address(name);
    if (is_of_metadata(name)) {
        delta.remark(remark_words(name), "a cloud's metadata service: who asks it acts as this machine", true, seen);
    } else if (!address && !can_be_allowed(name)) {
        delta.remark(remark_words(name), "it is no name of a host", false, seen);
    } else {
        const std::string word = address && address->is_ipv6 ? "[" + address->text + "]" : name;
        delta.add(Kind::network, refusal.port == 0 ? word : fmt::format("{}:{}", word, refusal.port), seen);
    }
}

void add_all(Delta& delta, const Learned& learned, bool is_later) {
    const auto sided = [&](const Sightings& seen) {
        return is_later ? SeenByBoth{.earlier = {}, .later = seen} : SeenByBoth{.earlier = seen, .later = {}};
    };
    for (const LearnedLine& line : learned.lines) {
        if (line.kind == Kind::read_only || line.kind == Kind::read_write) {
            delta.add(line.path, sided(line.seen));
        } else {
            delta.add(line.kind, line.word, sided(line.seen));
        }
    }
    for (const LearnedRemark& remark : learned.remarks) {
        delta.remark(remark.what, remark.reason, remark.is_secret, sided(remark.seen));
    }
}

} // namespace

Learned learn(const Observations& seen, const CallerPlaces& places) {
    Delta delta(places);
    for (const PathRefusal& refusal : seen.paths) {
        learn_path(delta, refusal, places);
    }
    for (const CallRefusal& refusal : seen.calls) {
        learn_call(delta, refusal);
    }
    for (const NameRefusal& refusal : seen.names) {
        learn_name(delta, refusal);
    }
    for (const std::string& path : seen.hidden) {
        delta.remark(shown(path, places), kLookedAt, true, sighting("", 0));
    }
    delta.collapse();
    return delta.finish(1);
}

Learned join(const Learned& earlier, const Learned& later, const CallerPlaces& places) {
    Delta delta(places);
    add_all(delta, earlier, false);
    add_all(delta, later, true);
    delta.collapse();
    Learned both = delta.finish(earlier.runs + later.runs);
    both.left_out += earlier.left_out + later.left_out;
    return both;
}

} // namespace sandbox
