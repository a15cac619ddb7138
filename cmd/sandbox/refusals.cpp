#include "cmd/sandbox/refusals.hpp"

#include <algorithm>
#include <chrono>
#include <iterator>
#include <utility>

#include <fmt/format.h>

#include "cmd/sandbox/stats.hpp"
#include "core/base/error.hpp"
#include "core/plan/paths.hpp"
#include "core/plan/routine_writes.hpp"
#include "core/plan/syscall_values.hpp"

namespace sandbox {

namespace {

constexpr std::size_t kMostLostFiles = 500;

std::vector<RefusedCallGroup> grouped(const std::vector<RefusedCall>& calls, const Plan& plan) {
    std::vector<RefusedCallGroup> groups;
    for (const RefusedCall& call : calls) {
        std::string object = call.syscall;
        if (call.argument >= 0) {
            object += " " + syscalls::argument_words(call.syscall, call.argument, call.value);
        }
        const Origin* origin = call.entry != nullptr ? &call.entry->origin : &plan.seccomp.default_origin;
        auto group = std::ranges::find_if(groups, [&](const RefusedCallGroup& other) {
            return other.object == object && other.origin == origin && other.error_number == call.error_number;
        });
        if (group == groups.end()) {
            group =
                groups.insert(groups.end(), {.object = std::move(object),
                                             .count = 0,
                                             .programs = {},
                                             .origin = origin,
                                             .grant = grant_for_call(plan.seccomp, plan.ids, call.syscall, call.entry),
                                             .error_number = call.error_number});
        }
        group->count += call.count;
        if (!call.program.empty() && std::ranges::find(group->programs, call.program) == group->programs.end()) {
            group->programs.push_back(call.program);
        }
    }
    std::ranges::stable_sort(groups, std::ranges::greater{}, &RefusedCallGroup::count);
    return groups;
}

/// What only slows CMD down (cpus, io, the network's rates) refuses nothing: --stats tells of it.
std::vector<ReachedLimit> reached_limits(const Outcome& outcome, const Plan& plan) {
    std::vector<ReachedLimit> reached;
    const CgroupUsage counted = outcome.usage.cgroup.value_or(CgroupUsage{});
    const auto add = [&](const char* file, std::optional<std::uint64_t> count, bool is_told) {
        const CgroupLimit* limit = find_limit(plan.cgroup, file);
        if (limit != nullptr && count.value_or(0) > 0) {
            reached.push_back({.name = limit->name,
                               .value = limit->words,
                               .count = *count,
                               .origin = &limit->origin,
                               .is_told = is_told});
        }
    };
    if (counted.limit_reached.value_or(0) > 0) { // else it was the machine's memory, or that of a cgroup around it
        add("memory.max", counted.oom_kills, outcome.out_of_memory);
    }
    add("pids.max", counted.forks_refused, false);
    if (outcome.timed_out && plan.timeout) {
        const auto seconds = std::chrono::duration<double>(*plan.timeout).count();
        reached.push_back({.name = "timeout",
                           .value = fmt::format("{:g} s", seconds),
                           .count = 1,
                           .origin = &plan.timeout_origin,
                           .is_told = true});
    }
    return reached;
}

bool is_told_as_file(const std::string& path, const std::vector<RefusedFile>& files) {
    return std::ranges::any_of(files,
                               [&](const RefusedFile& file) { return paths::is_within(file.verdict.inside, path); });
}

std::vector<LostFiles> lost_files(std::vector<LostWrites> all, const std::vector<RefusedFile>& files, const Plan& plan,
                                  const Host& host) {
    std::erase_if(all, [&](const LostWrites& writes) { return is_told_as_file(writes.path, files); });
    std::vector<std::string> names;
    std::ranges::transform(all, std::back_inserter(names), [](const LostWrites& writes) {
        // Any new name in a directory: what keeps one keeps them all.
        return writes.is_file() ? writes.path : paths::join(writes.path, "a");
    });
    std::vector<PathAdvice> advice = advise_on_new_files(names, plan, host);
    std::vector<LostFiles> lost;
    for (std::size_t i = 0; i < all.size(); ++i) {
        lost.push_back({.writes = std::move(all[i]), .advice = std::move(advice[i]), .is_routine = false});
        lost.back().is_routine = is_routine_write(lost.back().writes.path, host.home);
    }
    return lost;
}

std::vector<std::string> hidden_names(const Outcome& outcome, const Plan& plan, const std::vector<RefusedFile>& files) {
    std::vector<std::string> names;
    for (const HiddenName& hidden : plan.root.hidden_names.list) {
        if (!is_told_as_file(hidden.path, files) &&
            std::ranges::find(outcome.looked_at, hidden.name) != outcome.looked_at.end()) {
            names.push_back(hidden.name);
        }
    }
    return names;
}

} // namespace

Grant grant_for_hidden(const std::string& name) {
    return {.option = "--ro " + name,
            .profile = fmt::format("filesystem.read-only = {{ add = [\"{}\"] }}", name),
            .advice = ""};
}

std::string advice_on(const ReachedLimit& limit) {
    const char* const value = limit.name == "memory" ? "SIZE" : limit.name == "timeout" ? "TIME" : "N";
    return fmt::format("how much would do is not known; to raise it: --{0} {1}, or in a profile: limits.{0} = {1}",
                       limit.name, value);
}

Refusals gather_refusals(Outcome& outcome, const Plan& plan, const Host& host) {
    Refusals all;
    all.calls = grouped(outcome.refused_calls, plan);
    all.limits = reached_limits(outcome, plan);
    all.files_left_out = outcome.unobserved;
    all.files = refused_files(std::exchange(outcome.observed, {}), plan, host, all.files_left_out);
    // With --permissive the plan is not that of the run, which has no private home.
    AllLostWrites lost = lost_writes(outcome.permissive ? -1 : outcome.stage.get(), plan.root);
    if (lost.list.size() > kMostLostFiles) { // CMD made the names: what is told must not grow with them
        all.files_left_out += lost.list.size() - kMostLostFiles;
        lost.list.resize(kMostLostFiles);
    }
    all.lost = lost_files(std::move(lost.list), all.files, plan, host);
    all.lost_is_complete = lost.is_complete;
    all.hidden = hidden_names(outcome, plan, all.files);
    return all;
}

} // namespace sandbox
