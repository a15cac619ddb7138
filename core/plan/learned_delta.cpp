#include "core/plan/learned_delta.hpp"

#include <algorithm>
#include <optional>

#include <fmt/format.h>

#include "core/base/error.hpp"

namespace sandbox {

namespace {

constexpr std::size_t kMostPrograms = 4;
constexpr std::size_t kLongestProgram = 64;
constexpr std::size_t kLongestShown = 256;
constexpr const char* kOtherPrograms = "others";

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

void add_sightings(Sightings& to, const Sightings& more) {
    to.programs.insert(to.programs.end(), more.programs.begin(), more.programs.end());
    limit_programs(to.programs);
    to.count += more.count;
    to.runs = std::max(to.runs, more.runs);
}

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

} // namespace

Sightings SeenByBoth::sum() const {
    Sightings both = earlier;
    add_sightings(both, later);
    both.runs = earlier.runs + later.runs;
    return both;
}

void SeenByBoth::add(const SeenByBoth& more) {
    add_sightings(earlier, more.earlier);
    add_sightings(later, more.later);
}

SeenByBoth sighting(std::string_view program, std::uint64_t count) {
    Sightings seen;
    if (!program.empty()) {
        seen.programs.push_back(comment_words(program.substr(0, kLongestProgram), "#,:"));
    }
    seen.count = count;
    seen.runs = 1;
    return {.earlier = {}, .later = std::move(seen)};
}

std::string remark_words(std::string_view text) {
    return comment_words(text.substr(0, kLongestShown), "#") + (text.size() > kLongestShown ? "..." : "");
}

void LearnedDelta::add(const PathGrant& grant, const SeenByBoth& seen) {
    const auto [found, is_new] = paths_.try_emplace({grant.path, grant.dest}, Path{grant, seen});
    if (!is_new) {
        merge(found->second, grant, seen);
    }
}

void LearnedDelta::add(Kind kind, const std::string& word, const SeenByBoth& seen) {
    const auto [found, is_new] = words_.try_emplace({kind, word}, seen);
    if (!is_new) {
        found->second.add(seen);
    }
}

void LearnedDelta::remark(const std::string& what, std::string_view reason, bool is_secret, const SeenByBoth& seen) {
    const auto [found, is_new] =
        remarks_.try_emplace({.is_secret = is_secret, .what = what, .reason = std::string(reason)}, seen);
    if (!is_new) {
        found->second.add(seen);
    }
}

void LearnedDelta::collapse() {
    drop_told();
    fold_lost();
    drop_covered();
    collapse_many(kManyFiles, false);
    while (paths_.size() + words_.size() > kMostLearnedLines && collapse_some()) {
    }
}

Learned LearnedDelta::finish(std::uint32_t runs) {
    Learned learned;
    learned.runs = runs;
    for (const auto& [name, path] : paths_) {
        add_line(learned, path);
    }
    for (const auto& [name, seen] : words_) {
        learned.lines.push_back({name.first, name.second, {}, seen.sum()});
    }
    for (const auto& [name, seen] : remarks_) {
        learned.remarks.push_back({name.what, name.reason, name.is_secret, seen.sum()});
    }
    keep_the_most_seen(learned);
    sort_lines(learned.lines);
    if (learned.remarks.size() > kMostLearnedRemarks) {
        learned.remarks_left_out += learned.remarks.size() - kMostLearnedRemarks;
        learned.remarks.resize(kMostLearnedRemarks);
    }
    return learned;
}

void LearnedDelta::merge(Path& into, const PathGrant& grant, const SeenByBoth& seen) {
    into.grant.writable = into.grant.writable || grant.writable;
    into.grant.is_directory = into.grant.is_directory || grant.is_directory;
    into.seen.add(seen);
}

bool LearnedDelta::covers(const PathGrant& directory, const PathGrant& grant) {
    const std::string& shown = grant.dest.empty() ? grant.path : grant.dest;
    const bool in_place = directory.dest.empty() && grant.dest.empty();
    return directory.is_directory && in_place && paths::is_below(shown, directory.path) &&
           (directory.writable || !grant.writable);
}

void LearnedDelta::drop_covered() {
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

std::string LearnedDelta::full_path(const std::string& shown) const {
    return shown.starts_with("~/") ? places_.home + shown.substr(1) : shown;
}

/// A secret that was looked at needs no word where there is one about what was wanted of it.
void LearnedDelta::drop_told() {
    std::erase_if(remarks_, [&](const auto& remark) {
        const std::string path = full_path(remark.first.what);
        const auto tells = [&](const auto& other) {
            return other.first.reason != kLookedAt && paths::is_within(full_path(other.first.what), path);
        };
        return remark.first.reason == kLookedAt && std::ranges::any_of(remarks_, tells);
    });
}

/// What keeps a directory keeps what is below it.
void LearnedDelta::fold_lost() {
    std::erase_if(remarks_, [&](const auto& remark) {
        const std::string path = full_path(remark.first.what);
        const auto keeps = [&](const auto& one) {
            const PathGrant& grant = one.second.grant;
            return grant.writable && grant.dest.empty() && paths::is_within(path, grant.path);
        };
        return remark.first.reason.starts_with(kLost) && std::ranges::any_of(paths_, keeps);
    });
    for (auto one = remarks_.begin(); one != remarks_.end();) {
        const auto holds = [&](const auto& other) {
            const bool are_lost = one->first.reason.starts_with(kLost) && other.first.reason.starts_with(kLost);
            return are_lost && paths::is_below(full_path(one->first.what), full_path(other.first.what));
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
bool LearnedDelta::holds_a_known_secret(const std::string& directory) const {
    return std::ranges::any_of(remarks_, [&](const auto& remark) {
        return remark.first.is_secret && paths::is_below(full_path(remark.first.what), directory);
    });
}

bool LearnedDelta::may_be_a_line(const std::string& directory) const {
    return paths::depth(directory) > 1 && directory != "/var/tmp" && why_too_wide(directory, places_).empty() &&
           !paths::is_within(directory, "/dev") && !paths::is_within(directory, "/sys") &&
           !holds_a_known_secret(directory) && !may_hold_secrets(directory, places_);
}

/// Where there are too many lines, fewer files are a directory, and directories are the one that holds them.
/// \return whether there are fewer now.
bool LearnedDelta::collapse_some() {
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
void LearnedDelta::collapse_many(std::size_t many, bool directories) {
    for (const bool writable : {true, false}) {
        std::map<std::string, std::size_t> counts;
        for (const auto& [name, path] : paths_) {
            const bool counted =
                path.grant.dest.empty() && path.grant.writable == writable && (directories || !path.grant.is_directory);
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

void LearnedDelta::add_line(Learned& learned, const Path& path) {
    std::optional<std::string> word = profile_word(path.grant, places_);
    if (!word) {
        remark(remark_words(path.grant.path), "its name is no UTF-8: no profile can hold it, only an option", false,
               path.seen);
        return;
    }
    const Kind kind = path.grant.writable ? Kind::read_write : Kind::read_only;
    learned.lines.push_back({kind, std::move(*word), path.grant, path.seen.sum()});
}

void LearnedDelta::keep_the_most_seen(Learned& learned) {
    if (learned.lines.size() <= kMostLearnedLines) {
        return;
    }
    std::ranges::stable_sort(learned.lines, [](const LearnedLine& left, const LearnedLine& right) {
        const auto weight = [](const Sightings& seen) {
            return std::tuple(seen.runs == 0, seen.runs, seen.count); // what a person wrote stays
        };
        return weight(left.seen) > weight(right.seen);
    });
    learned.lines_left_out += learned.lines.size() - kMostLearnedLines;
    learned.lines.resize(kMostLearnedLines);
}

void LearnedDelta::sort_lines(std::vector<LearnedLine>& lines) {
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

} // namespace sandbox
