#include "cmd/sandbox/report.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <iterator>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "cmd/common/figure_words.hpp"
#include "cmd/common/learned_toml.hpp"
#include "core/base/error.hpp"

namespace sandbox {

namespace {

constexpr std::size_t kMostCalls = 20;
constexpr std::size_t kMostFiles = 40;
constexpr std::size_t kMostLost = 10;
constexpr std::size_t kMostPrograms = 3;

std::string times(std::uint64_t count) {
    return count == 1 ? "once" : fmt::format("{} times", count);
}

std::string by(const std::vector<std::string>& programs) {
    std::vector<std::string> shown;
    std::ranges::transform(std::span(programs).first(std::min(programs.size(), kMostPrograms)),
                           std::back_inserter(shown), escaped);
    if (shown.empty()) {
        return "";
    }
    const std::size_t more = programs.size() - shown.size();
    return fmt::format(", by {}{}", fmt::join(shown, ", "), more > 0 ? fmt::format(" and {} more", more) : "");
}

std::string one_line(std::string text) {
    for (std::size_t at = 0; (at = text.find('\n', at)) != std::string::npos;) {
        text.replace(at, 1, " and ");
    }
    return text;
}

std::string grant_words(const Grant& grant) {
    return grant.option.empty()
               ? grant.advice
               : fmt::format("to allow it: {}, or in a profile: {}", grant.option, one_line(grant.profile));
}

void add_limits(std::vector<std::string>& lines, const std::vector<ReachedLimit>& limits) {
    for (const ReachedLimit& limit : limits) {
        if (limit.is_told) {
            continue;
        }
        const char* const what = limit.name == "pids" ? "refused to start another" : "had a process killed";
        lines.push_back(fmt::format("limit of {}, {} {}: {}\n    {}", limit.value, what, times(limit.count),
                                    written_at(*limit.origin), advice_on(limit)));
    }
}

void add_calls(std::vector<std::string>& lines, const std::vector<RefusedCallGroup>& groups, std::uint64_t uncounted) {
    for (const RefusedCallGroup& group : std::span(groups).first(std::min(groups.size(), kMostCalls))) {
        lines.push_back(fmt::format("system call {}, {}{}: {}\n    {}", group.object, times(group.count),
                                    by(group.programs), written_at(*group.origin), grant_words(group.grant)));
    }
    if (groups.size() > kMostCalls) {
        lines.push_back(fmt::format("and {} more kinds of system calls", groups.size() - kMostCalls));
    }
    if (uncounted > 0) {
        lines.push_back(fmt::format("and {} more system calls, of too many kinds to list", uncounted));
    }
}

void add_hidden(std::vector<std::string>& lines, const std::vector<std::string>& looked_at, const HiddenNames& names) {
    if (!looked_at.empty()) {
        const Grant grant = grant_for_hidden(looked_at.front());
        lines.push_back(fmt::format("looked at, hidden: {}: {}\n    to show one: {}, or in a profile: {}",
                                    fmt::join(looked_at, " "), written_at(names.origin), grant.option, grant.profile));
    }
}

std::string advice_words(const PathAdvice& advice, const CallerPlaces& places) {
    if (!advice.grant) {
        return advice.reason;
    }
    const std::optional<std::string> line = profile_line(*advice.grant, places);
    return fmt::format("to allow it: {}{}", option_words(*advice.grant, places),
                       line ? ", or in a profile: " + *line : "");
}

std::string file_words(const RefusedFile& file, const CallerPlaces& places) {
    const PathVerdict& verdict = file.verdict;
    const std::string program = file.program.empty() ? "" : ", by " + escaped(file.program);
    const std::string place =
        verdict.decided_by ? written_at(*verdict.decided_by) : std::string("no line of the profile shows it");
    return fmt::format("{} {}, {}, {}{}: {}\n    {}", verdict.effect == PathEffect::lost ? "lost file" : "file",
                       escaped(verdict.inside), word(file.intent), times(file.count), program, place,
                       advice_words(file.advice, places));
}

void add_files(std::vector<std::string>& lines, const std::vector<RefusedFile>& files, std::uint64_t unobserved,
               const CallerPlaces& places) {
    for (const RefusedFile& file : std::span(files).first(std::min(files.size(), kMostFiles))) {
        lines.push_back(file_words(file, places));
    }
    if (files.size() > kMostFiles) {
        lines.push_back(fmt::format("and more files; --report-json lists all {}", files.size()));
    }
    if (unobserved > 0) {
        lines.push_back(fmt::format("and {} more names, for which there was no room or no time", unobserved));
    }
}

std::string lost_words(const LostFiles& lost, const CallerPlaces& places) {
    const LostWrites& writes = lost.writes;
    const std::string what = writes.is_file()
                                 ? "lost file " + escaped(writes.path)
                                 : fmt::format("lost files of {}, {} of them", escaped(writes.path), writes.files);
    return fmt::format("{}, {}: {}\n    {}", what, about_bytes(writes.bytes), written_at(writes.place->origin),
                       advice_words(lost.advice, places));
}

void add_lost(std::vector<std::string>& lines, const std::vector<LostFiles>& lost, const CallerPlaces& places) {
    std::size_t told = 0;
    std::size_t left_out = 0;
    for (const LostFiles& one : lost) {
        if (one.is_routine) {
            continue;
        }
        if (told == kMostLost) {
            ++left_out;
            continue;
        }
        lines.push_back(lost_words(one, places));
        ++told;
    }
    if (left_out > 0) {
        lines.push_back(fmt::format("and {} more places where files were lost", left_out));
    }
}

std::string with_title(const std::string& title, const std::vector<std::string>& lines) {
    return lines.empty() ? "" : fmt::format("{}\n  {}", title, fmt::join(lines, "\n  "));
}

} // namespace

std::string Report::text(bool whole) const {
    std::vector<std::string> lines;
    add_limits(lines, refusals_.limits);
    add_calls(lines, refusals_.calls, outcome_.uncounted_calls);
    add_hidden(lines, refusals_.hidden, plan_.root.hidden_names);
    add_files(lines, refusals_.files, refusals_.files_left_out, places_);
    add_lost(lines, refusals_.lost, places_);
    std::vector<std::string> parts = {with_title(
        (outcome_.permissive ? "would be refused under the profile " : "refused under the profile ") + plan_.profile,
        lines)};
    if (outcome_.listener_error != 0) {
        parts.push_back(fmt::format(
            "note: which system calls {} refused{} is not known: {}", outcome_.permissive ? "would be" : "were",
            outcome_.explained ? ", and which files were asked for," : "", blindness(outcome_.listener_error)));
    }
    if (!refusals_.lost_is_complete) {
        parts.emplace_back(
            "note: CMD left more in private places than is told: it is too much to look through, or closed to us");
    }
    std::vector<std::string> network;
    std::ranges::transform(outcome_.network_refusals, std::back_inserter(network), &netns::NetworkRefusal::text);
    parts.push_back(with_title(
        fmt::format("note: the network is held to a list ({}), and refused", written_at(plan_.network.allow.origin)),
        network));
    if (whole) {
        parts.push_back(with_title("warned of before it started", outcome_.warnings));
    }
    std::erase(parts, "");
    return fmt::format("{}", fmt::join(parts, "\n"));
}

bool is_report_told(const ReportOptions& options, const Outcome& outcome, bool quiet, bool to_terminal) {
    using When = ReportOptions::When;
    if (options.when != When::automatic) {
        return options.when == When::always;
    }
    return !quiet && (to_terminal || outcome.status != 0);
}

std::string blindness(int error_number) {
    return error_number == EBUSY ? "an outer sandbox listens to its own filter, and the kernel has one listener"
                                 : fmt::format("the kernel gives no listener: {}", ::strerror(error_number));
}

} // namespace sandbox
