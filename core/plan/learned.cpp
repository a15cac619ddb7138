#include "core/plan/learned.hpp"

#include <algorithm>
#include <optional>
#include <set>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "core/plan/address.hpp"
#include "core/plan/allow_plan.hpp"
#include "core/plan/cloud_metadata.hpp"
#include "core/plan/learned_delta.hpp"
#include "core/plan/paths.hpp"

namespace sandbox {

namespace {

using Kind = LearnedLine::Kind;

constexpr std::size_t kLongestGrant = 256;

/// Runtimes of languages look there for the memory that they may use.
constexpr std::string_view kCgroups = "/sys/fs/cgroup";

std::string shown(const std::string& path, const CallerPlaces& places) {
    const auto word = profile_word({.writable = false, .is_directory = false, .path = path, .dest = {}}, places);
    const std::string text = word.value_or(path);
    return remark_words(text);
}

/// The reason, and what would do it all the same.
std::string reason_with(std::string_view reason, const PathGrant& grant, const char* does, const CallerPlaces& places) {
    return grant.path.size() > kLongestGrant ? std::string(reason)
                                             : fmt::format("{}; {} {}", reason, option_words(grant, places), does);
}

bool was_looked_at(const PathRefusal& refusal) {
    return refusal.found.kind == PathFact::Kind::directory && refusal.intent == PathIntent::look;
}

void learn_path(LearnedDelta& delta, const PathRefusal& refusal, const CallerPlaces& places) {
    const SeenByBoth seen = sighting(refusal.program, refusal.count);
    const PathAdvice advice = advise(refusal.verdict, refusal.intent, refusal.found, places);
    if (was_looked_at(refusal) && refusal.verdict.standing == PathStanding::covered && !advice.is_secret) {
        return; // it is there, and empty
    }
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
    if (advice.grant && was_looked_at(refusal) && !delta.may_be_a_line(advice.grant->path)) {
        delta.remark(
            shown(advice.grant->path, places),
            reason_with("a directory that was looked at", *advice.grant, "shows it with all that it holds", places),
            false, seen);
        return;
    }
    if (advice.grant) {
        delta.add(*advice.grant, seen);
        return;
    }
    const std::string& path = refusal.verdict.host_path.empty() ? refusal.verdict.inside : refusal.verdict.host_path;
    delta.remark(shown(path, places),
                 advice.withheld ? reason_with(advice.reason, *advice.withheld, "shows it", places) : advice.reason,
                 advice.is_secret, seen);
}

/// Directories that were looked at come last, where it is known what else was asked for: one that leads to that is
/// there with it.
void learn_paths(LearnedDelta& delta, const std::vector<PathRefusal>& refusals, const CallerPlaces& places) {
    std::set<std::string, paths::Before> names;
    std::vector<const PathRefusal*> looked_at;
    for (const PathRefusal& refusal : refusals) {
        if (refusal.verdict.effect == PathEffect::works) {
            continue;
        }
        names.insert(refusal.verdict.inside);
        if (was_looked_at(refusal)) {
            looked_at.push_back(&refusal);
        } else {
            learn_path(delta, refusal, places);
        }
    }
    for (const PathRefusal* refusal : looked_at) {
        const auto next = names.upper_bound(refusal->verdict.inside); // what is below a name follows it
        if (next == names.end() || !paths::is_below(*next, refusal->verdict.inside)) {
            learn_path(delta, *refusal, places);
        }
    }
}

void learn_call(LearnedDelta& delta, const CallRefusal& refusal) {
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

void learn_name(LearnedDelta& delta, const NameRefusal& refusal) {
    const SeenByBoth seen = sighting(refusal.program, refusal.count);
    const std::string name = plain_name(refusal.name);
    const std::optional<Address> address = parse_address(name);
    if (is_cloud_metadata(name)) {
        delta.remark(remark_words(name), kMetadataAdvice, true, seen);
    } else if (!address && !can_be_allowed(name)) {
        delta.remark(remark_words(name), "it is no name of a host", false, seen);
    } else {
        const std::string word = address && address->is_ipv6 ? "[" + address->text + "]" : name;
        delta.add(Kind::network, refusal.port == 0 ? word : fmt::format("{}:{}", word, refusal.port), seen);
    }
}

void add_all(LearnedDelta& delta, const Learned& learned, bool is_later) {
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
    LearnedDelta delta(places);
    learn_paths(delta, seen.paths, places);
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
    LearnedDelta delta(places);
    add_all(delta, earlier, false);
    add_all(delta, later, true);
    delta.collapse();
    Learned both = delta.finish(earlier.runs + later.runs);
    both.lines_left_out += earlier.lines_left_out + later.lines_left_out;
    both.remarks_left_out += earlier.remarks_left_out + later.remarks_left_out;
    return both;
}

} // namespace sandbox
