// The report for programs: Report::json.
#include "cmd/sandbox/report.hpp"

#include <array>
#include <chrono>
#include <cstdint>
#include <cstring>
#include <ctime>
#include <optional>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "cmd/common/json.hpp"
#include "cmd/common/learned_toml.hpp"

namespace sandbox {

namespace {

Json grant_json(const Grant& grant) {
    return grant.option.empty() ? Json{{"grant", nullptr}, {"advice", grant.advice}}
                                : Json{{"grant", {{"option", grant.option}, {"profile", grant.profile}}}};
}

Json advice_json(const PathAdvice& advice, const CallerPlaces& places) {
    const std::optional<std::string> line = advice.grant ? profile_line(*advice.grant, places) : std::nullopt;
    return grant_json({.option = advice.grant ? option_words(*advice.grant, places) : "",
                       .profile = line.value_or(""),
                       .advice = advice.reason});
}

/// The refusal and what would allow it, as one object.
Json with(Json refusal, const Json& grant) {
    refusal.update(grant);
    return refusal;
}

Json call_json(const RefusedCallGroup& group) {
    return with({{"kind", "syscall"},
                 {"object", group.object},
                 {"count", group.count},
                 {"programs", group.programs},
                 {"errno", group.error_number == 0 ? Json(nullptr) // it would be killed
                                                   : Json(strerrorname_np(group.error_number))},
                 {"origin", to_json(*group.origin)}},
                grant_json(group.grant));
}

Json limit_json(const ReachedLimit& limit) {
    return with({{"kind", "limit"},
                 {"object", limit.name},
                 {"limit", limit.value},
                 {"count", limit.count},
                 {"origin", to_json(*limit.origin)}},
                grant_json({.option = "", .profile = "", .advice = advice_on(limit)}));
}

Json network_json(const netns::NetworkRefusal& refusal, const Origin& list) {
    return with({{"kind", refusal.kind == netns::NetworkRefusal::Kind::name ? "name" : "address"},
                 {"object", refusal.object},
                 {"count", refusal.count},
                 {"origin", to_json(list)}},
                grant_json({.option = refusal.grant, .profile = "", .advice = refusal.advice}));
}

Json file_json(const RefusedFile& file, const CallerPlaces& places) {
    return with({{"kind", file.verdict.effect == PathEffect::lost ? "lost" : "file"},
                 {"object", file.verdict.inside},
                 {"intent", word(file.intent)},
                 {"count", file.count},
                 {"programs", file.program.empty() ? Json::array() : Json::array({file.program})},
                 {"origin", file.verdict.decided_by ? to_json(*file.verdict.decided_by) : Json(nullptr)}},
                advice_json(file.advice, places));
}

Json lost_json(const LostFiles& lost, const CallerPlaces& places) {
    return with({{"kind", "lost"},
                 {"object", lost.writes.path},
                 {"files", lost.writes.files},
                 {"bytes", lost.writes.bytes},
                 {"origin", to_json(lost.writes.place->origin)}},
                advice_json(lost.advice, places));
}

Json hidden_json(const std::string& name, const Origin& home) {
    return with({{"kind", "hidden"}, {"object", name}, {"origin", to_json(home)}}, grant_json(grant_for_hidden(name)));
}

Json refusals_json(const Refusals& refusals, const Outcome& outcome, const Plan& plan, const CallerPlaces& places) {
    Json list = Json::array();
    for (const ReachedLimit& limit : refusals.limits) {
        list.push_back(limit_json(limit));
    }
    for (const RefusedCallGroup& group : refusals.calls) {
        list.push_back(call_json(group));
    }
    for (const netns::NetworkRefusal& one : outcome.network_refusals) {
        if (one.kind != netns::NetworkRefusal::Kind::others) {
            list.push_back(network_json(one, plan.network.allow.origin));
        }
    }
    for (const RefusedFile& file : refusals.files) {
        list.push_back(file_json(file, places));
    }
    for (const std::string& name : refusals.hidden) {
        list.push_back(hidden_json(name, plan.root.hidden_names.origin));
    }
    for (const LostFiles& lost : refusals.lost) {
        list.push_back(lost_json(lost, places));
    }
    return list;
}

Json blind_json(const Refusals& refusals, const Outcome& outcome) {
    Json blind = Json::array();
    if (outcome.listener_error != 0) {
        const std::string why = blindness(outcome.listener_error);
        blind.push_back({{"kind", "syscall"}, {"why", why}});
        if (outcome.explained) {
            blind.push_back({{"kind", "file"}, {"why", why}});
        }
    }
    if (!refusals.lost_is_complete) {
        blind.push_back(
            {{"kind", "lost"}, {"why", "CMD left more than is told: it is too much to look through, or closed to us"}});
    }
    return blind;
}

std::uint64_t unlisted(const Outcome& outcome) {
    std::uint64_t count = outcome.uncounted_calls;
    for (const netns::NetworkRefusal& one : outcome.network_refusals) {
        count += one.kind == netns::NetworkRefusal::Kind::others ? one.count : 0;
    }
    return count;
}

/// ISO 8601, in UTC.
std::string time_text(std::chrono::system_clock::time_point time) {
    const auto whole = std::chrono::floor<std::chrono::seconds>(time);
    const auto milliseconds = std::chrono::duration_cast<std::chrono::milliseconds>(time - whole).count();
    const std::time_t seconds = std::chrono::system_clock::to_time_t(whole);
    std::tm parts{};
    ::gmtime_r(&seconds, &parts);
    std::array<char, sizeof "2026-01-01T00:00:00"> text{};
    static_cast<void>(std::strftime(text.data(), text.size(), "%FT%T", &parts));
    return fmt::format("{}.{:03}Z", text.data(), milliseconds);
}

/// Printable ASCII alone is left: a name of CMD's making could steer a terminal otherwise. JSON needs no escape for
/// DEL.
void replace_delete(std::string& text) {
    for (std::size_t at = 0; (at = text.find('\x7f', at)) != std::string::npos;) {
        text.replace(at, 1, "\\u007f");
    }
}

} // namespace

std::string Report::json(std::chrono::system_clock::time_point start, std::chrono::system_clock::time_point end) const {
    const Json document = {{"profile", plan_.profile},
                           {"permissive", outcome_.permissive},
                           {"start", time_text(start)},
                           {"end", time_text(end)},
                           {"exit",
                            {{"status", outcome_.status},
                             {"signal", outcome_.signal == 0 ? Json(nullptr) : Json(outcome_.signal)},
                             {"reason", reason_word(outcome_)}}},
                           {"refusals", refusals_json(refusals_, outcome_, plan_, places_)},
                           {"unlisted", unlisted(outcome_) + refusals_.files_left_out},
                           {"blind", blind_json(refusals_, outcome_)},
                           {"warnings", outcome_.warnings}};
    std::string text = document.dump(2, ' ', true, Json::error_handler_t::replace);
    replace_delete(text);
    text.push_back('\n'); // it may be long: no copy
    return text;
}

} // namespace sandbox
