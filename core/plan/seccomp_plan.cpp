#include "core/plan/seccomp_plan.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "core/base/error.hpp"
#include "core/plan/nearest.hpp"
#include "core/plan/seccomp_conditions.hpp"
#include "core/plan/syscall_values.hpp"
#include "core/plan/syscalls.hpp"

namespace sandbox {

namespace {

using syscalls::Syscall;

constexpr SeccompAction kAllow = {.kind = SeccompActionKind::allow};
constexpr SeccompAction kDeny = {.kind = SeccompActionKind::errno_value, .error_number = EPERM};
constexpr SeccompAction kNoSuchCall = {.kind = SeccompActionKind::errno_value, .error_number = ENOSYS};

#if defined(__x86_64__)
constexpr auto kArchitectures = std::to_array<std::string_view>({"x86_64", "x86", "x32"});
#else
constexpr auto kArchitectures = std::to_array<std::string_view>({"aarch64", "arm"});
#endif
/// What a profile may name: a profile is written once for all machines, and one that cannot run here is no hole.
constexpr auto kKnownArchitectures =
    std::to_array<std::string_view>({"aarch64", "arm", "native", "x32", "x86", "x86_64"});

bool lets_pass(const SeccompAction& action) {
    return action.kind == SeccompActionKind::allow || action.kind == SeccompActionKind::log;
}

Error unknown(const Item& item, std::string_view what, const std::string& near) {
    Error error(fmt::format("{}: unknown {} {}", item.origin.place(), what, quoted(item.text)));
    if (!near.empty()) {
        error.fix(fmt::format("did you mean '{}'?", near));
    }
    return error;
}

SeccompAction action_of(const Item& item) {
    if (item.text == "allow") {
        return kAllow;
    }
    if (item.text == "deny") {
        return kDeny;
    }
    if (item.text == "kill") {
        return {.kind = SeccompActionKind::kill};
    }
    if (item.text == "log") {
        return {.kind = SeccompActionKind::log};
    }
    if (const int number = syscalls::error_number(item.text); number != 0) {
        return {.kind = SeccompActionKind::errno_value, .error_number = number};
    }
    throw unknown(item, "action", syscalls::nearest_action(item.text));
}

SeccompAction default_action(const Setting<std::string>& written) {
    if (!written) {
        return kDeny;
    }
    const Item item{.text = *written.value, .origin = written.origin};
    if (std::ranges::find(kDefaultActions, item.text) == kDefaultActions.end()) {
        throw unknown(item, "default action", nearest(item.text, kDefaultActions)).fix("one of deny, allow, kill, log");
    }
    return action_of(item);
}

std::vector<std::string> architectures_of(const List& written) {
    std::vector<std::string> names = {std::string(kArchitectures[0])};
    for (const Item& item : written.items) {
        if (std::ranges::find(kKnownArchitectures, item.text) == kKnownArchitectures.end()) {
            throw unknown(item, "architecture", nearest(item.text, kKnownArchitectures))
                .fix("one of native, x86_64, x86, x32, aarch64, arm");
        }
        const bool runs_here = std::ranges::find(kArchitectures, item.text) != kArchitectures.end();
        if (runs_here && std::ranges::find(names, item.text) == names.end()) {
            names.push_back(item.text);
        }
    }
    return names;
}

/// Calls `use` with each call that a word names: one, or a group's.
template <class Use> void for_calls_of(const Item& item, Use use) {
    if (item.text.starts_with('@')) {
        const auto calls = syscalls::members(item.text);
        if (!calls) {
            throw unknown(item, "group of system calls", syscalls::nearest_name(item.text));
        }
        std::ranges::for_each(*calls, use);
        return;
    }
    const Syscall* call = syscalls::find(item.text);
    if (call == nullptr) {
        throw unknown(item, "system call", syscalls::nearest_name(item.text));
    }
    use(call);
}

/// A [[seccomp.rule]] with its words resolved.
struct Rule {
    std::vector<const Syscall*> calls;
    SeccompAction action;
    std::vector<std::vector<SeccompTest>> alternatives;
    const Origin* origin = nullptr;

    [[nodiscard]] bool unconditional() const { return alternatives.front().empty(); }
};

std::vector<Rule> resolved(const std::vector<SeccompRule>& written) {
    std::vector<Rule> rules;
    for (const SeccompRule& rule : written) {
        Rule& added = rules.emplace_back();
        for (const Item& item : rule.syscalls) {
            for_calls_of(item, [&](const Syscall* call) { added.calls.push_back(call); });
        }
        added.action = action_of(rule.action);
        if (rule.quiet && added.action.kind != SeccompActionKind::errno_value) {
            throw Error(fmt::format("{}: a rule that refuses nothing cannot be quiet", rule.origin.place()))
                .fix("quiet = true goes with the actions deny and ENOSYS, EACCES ...");
        }
        added.action.quiet = rule.quiet;
        added.alternatives = alternatives(rule);
        added.origin = &rule.origin;
    }
    return rules;
}

/// The entries in the order of their strength, and what they say so far about each call.
struct Decisions {
    struct Call {
        bool settled = false;   ///< an entry holds for every call: nothing after it counts
        bool narrowed = false;  ///< a rule allows it under conditions: a mere mention in `allow` does not widen that
        bool may_pass = false;  ///< an entry allows it, perhaps under conditions
        bool mentioned = false; ///< an entry speaks of it
        const Origin* refused_by = nullptr; ///< an entry refuses every call: where that was written
        const Origin* tested = nullptr;     ///< an entry tests its arguments: where that was written
    };

    std::vector<SeccompEntry> entries;
    std::vector<Call> calls = std::vector<Call>(syscalls::all().size());

    Call& of(const Syscall& call) { return calls[static_cast<std::size_t>(&call - syscalls::all().data())]; }
    Call& of(std::string_view name) { return of(*syscalls::find(name)); }

    void add(const Syscall& call, const std::vector<SeccompTest>& tests, const SeccompAction& action,
             const Origin& origin) {
        Call& state = of(call);
        if (state.settled) {
            return;
        }
        state.settled = tests.empty();
        state.refused_by = tests.empty() && !lets_pass(action) ? &origin : nullptr;
        state.may_pass = state.may_pass || lets_pass(action);
        state.mentioned = true;
        state.tested = tests.empty() ? state.tested : &origin;
        entries.push_back({.syscall = {.name = std::string(call.name), .number = call.native()},
                           .tests = tests,
                           .action = action,
                           .origin = origin});
    }

    void add(const Rule& rule) {
        for (const Syscall* call : rule.calls) {
            for (const auto& tests : rule.alternatives) {
                add(*call, tests, rule.action, *rule.origin);
            }
        }
    }

    void add(const List& list, const SeccompAction& action) {
        for (const Item& item : list.items) {
            for_calls_of(item, [&](const Syscall* call) {
                if (action == kAllow && of(*call).narrowed) {
                    return;
                }
                // libc falls back from clone3 to clone when there is no such call, not when it is forbidden.
                const bool falls_back = action == kDeny && call->name == "clone3";
                add(*call, {}, falls_back ? kNoSuchCall : action, item.origin);
            });
        }
    }
};

Decisions decide(const Profile::Seccomp& written, const SeccompAction& otherwise) {
    const std::vector<Rule> rules = resolved(written.rules);
    Decisions decisions;
    decisions.entries.reserve(syscalls::all().size());
    const auto add_rules = [&](SeccompActionKind kind) {
        for (const Rule& rule : rules) {
            if (rule.action.kind == kind) {
                decisions.add(rule);
            }
        }
    };
    add_rules(SeccompActionKind::kill);
    add_rules(SeccompActionKind::errno_value);
    decisions.add(written.deny, kDeny);
    add_rules(SeccompActionKind::log);
    if (otherwise == kAllow) {
        return decisions;
    }
    const auto add_allowances = [&](bool unconditional) {
        for (const Rule& rule : rules) {
            if (rule.action != kAllow || rule.unconditional() != unconditional) {
                continue;
            }
            decisions.add(rule);
            for (const Syscall* call : rule.calls) {
                decisions.of(*call).narrowed = true;
            }
        }
    };
    add_allowances(true);
    add_allowances(false);
    decisions.add(written.allow, kAllow);
    return decisions;
}

/// Without this a profile that allows clone and does not speak of clone3 would stop every thread and child from
/// starting: libc tries clone3 first and takes EPERM for an answer.
void let_clone3_fall_back(Decisions& decisions, const SeccompPlan& plan) {
    const bool clone_passes = decisions.of("clone").may_pass;
    if (plan.default_action != kDeny || !clone_passes || decisions.of("clone3").mentioned) {
        return;
    }
    const auto first_allowance =
        std::ranges::find_if(decisions.entries, [](const SeccompEntry& entry) { return lets_pass(entry.action); });
    decisions.entries.insert(first_allowance,
                             {.syscall = {.name = "clone3", .number = syscalls::find("clone3")->native()},
                              .tests = {},
                              .action = kNoSuchCall,
                              .origin = plan.default_origin});
}

bool may_pass(Decisions& decisions, std::string_view call, const SeccompPlan& plan) {
    const Decisions::Call& state = decisions.of(call);
    return state.may_pass || (lets_pass(plan.default_action) && !state.settled);
}

void check_start(Decisions& decisions, const SeccompPlan& plan) {
    if (may_pass(decisions, "execve", plan)) {
        return;
    }
    const auto refusal = std::ranges::find_if(decisions.entries,
                                              [](const SeccompEntry& entry) { return entry.syscall.name == "execve"; });
    if (refusal != decisions.entries.end()) {
        throw Error(fmt::format("{}: the filter refuses execve", refusal->origin.place()))
            .cause("CMD could never start: its first system call under the filter is execve")
            .fix("take execve out of it");
    }
    throw Error(fmt::format("{}: the filter does not allow execve", plan.default_origin.place()))
        .cause("CMD could never start: its first system call under the filter is execve")
        .fix("allow it: [seccomp] allow = [\"@system-service\"], or take a whole policy: [seccomp] extends = "
             "\"default\"")
        .fix("for no filter at all: [seccomp] default = \"allow\"");
}

void check_detour(Decisions& decisions, const SeccompPlan& plan, std::string_view tested, std::string_view detour) {
    const Origin* place = decisions.of(tested).tested;
    if (place == nullptr || !may_pass(decisions, detour, plan)) {
        return;
    }
    throw Error(fmt::format("{}: {} is filtered by its arguments, but {} is allowed, which does the same",
                            place->place(), tested, detour))
        .cause(fmt::format("the arguments of {} stand in memory, where no filter can look", detour))
        .fix(fmt::format("write a [[seccomp.rule]] with syscalls = [\"{}\"] and action = \"ENOSYS\"", detour));
}

std::vector<std::string> quiet_calls(const List& written) {
    std::vector<std::string> names;
    for (const Item& item : written.items) {
        for_calls_of(item, [&](const Syscall* call) { names.emplace_back(call->name); });
    }
    std::ranges::sort(names);
    names.erase(std::ranges::unique(names).begin(), names.end());
    return names;
}

/// An option that changes nothing is a mistake: what a profile denies, no later word allows.
void check_allowing_options(const Profile::Seccomp& written, Decisions& decisions) {
    for (const SeccompRule& rule : written.rules) {
        if (rule.origin.kind != Origin::Kind::option) {
            continue;
        }
        for (const Item& item : rule.syscalls) {
            for_calls_of(item, [&](const Syscall* call) {
                const Origin* refused_by = decisions.of(*call).refused_by;
                if (refused_by != nullptr) {
                    throw Error(fmt::format("{}: {} denies {} to all", rule.origin.place(), written_at(*refused_by),
                                            call->name))
                        .cause("what a profile denies, nothing allows")
                        .fix("run under another filter: --seccomp PROFILE");
                }
            });
        }
    }
}

} // namespace

SeccompPlan plan_seccomp(const Profile& profile) {
    const Profile::Seccomp& written = profile.seccomp;
    SeccompPlan plan;
    plan.default_action = default_action(written.default_action);
    plan.default_origin = written.default_action.origin;
    plan.architectures = architectures_of(written.architectures);

    Decisions decisions = decide(written, plan.default_action);
    check_allowing_options(written, decisions);
    check_start(decisions, plan);
    plan.quiet = quiet_calls(written.quiet);
    let_clone3_fall_back(decisions, plan);
    check_detour(decisions, plan, "clone", "clone3");
    if (std::ranges::find(plan.architectures, "x86") != plan.architectures.end()) {
        for (const Syscall& call : syscalls::all()) {
            if (const auto* multiplexed = syscalls::find_multiplexed(call.name); multiplexed != nullptr) {
                check_detour(decisions, plan, call.name, multiplexed->through);
            }
        }
    }
    plan.entries = std::move(decisions.entries);
    plan.filter = plan.default_action != kAllow || !plan.entries.empty();
    return plan;
}

} // namespace sandbox
