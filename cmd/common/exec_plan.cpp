#include "cmd/common/exec_plan.hpp"

#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "core/base/error.hpp"
#include "core/plan/process_plan.hpp"

namespace sandbox {

namespace {

/// By number, in the order of the kernel's own list: setrlimit(2).
constexpr std::array<const char*, RLIM_NLIMITS> kLimitNames = {
    "cpu",     "fsize", "data",  "stack",      "core",     "rss",  "nproc",  "nofile",
    "memlock", "as",    "locks", "sigpending", "msgqueue", "nice", "rtprio", "rttime"};

/// An id of the host, as the sandbox sees it.
std::optional<std::uint32_t> inside(const std::vector<MapEntry>& map, std::uint32_t outside) {
    for (const MapEntry& line : map) {
        if (outside >= line.outside && outside - line.outside < line.count) {
            return line.inside + (outside - line.outside);
        }
    }
    return std::nullopt;
}

bool is_mapped(const std::vector<MapEntry>& map, std::uint32_t id) {
    return std::ranges::any_of(
        map, [id](const MapEntry& line) { return id >= line.inside && id - line.inside < line.count; });
}

/// The whole text, or nothing: a part of it would be somebody else (CVE-2026-30892 of crun).
std::optional<std::uint32_t> read_id(std::string_view text) {
    std::uint32_t id = 0;
    const auto [rest, error] = std::from_chars(text.data(), text.data() + text.size(), id);
    const bool is_whole = !text.empty() && error == std::errc() && rest == text.data() + text.size();
    return is_whole ? std::optional(id) : std::nullopt;
}

struct Ids {
    std::uint32_t uid = 0;
    std::uint32_t gid = 0;
};

Error refuse_user(const std::string& text) {
    return Error("--user: cannot enter the sandbox as the user " + quoted(text));
}

Ids read_user(const RunRecord& record, const std::string& text, const ExecCaller& caller) {
    const RecordedRestrictions& held = record.restrictions;
    const auto own_uid = inside(held.uid_map, caller.uid);
    const std::uint32_t own_gid = inside(held.gid_map, caller.gid).value_or(held.gid);
    if (text == "root" || text == "0") { // who writes 0 means root, as in --user of sandbox
        return {.uid = 0, .gid = 0};
    }
    if (text == "self" && own_uid) {
        return {.uid = *own_uid, .gid = own_gid};
    }
    const std::size_t colon = text.find(':');
    const auto uid = read_id(std::string_view(text).substr(0, colon));
    const auto gid = colon == std::string::npos ? std::optional(own_gid) : read_id(text.substr(colon + 1));
    if (!uid || !gid) {
        throw refuse_user(text)
            .cause("it is neither self, root, UID nor UID:GID; names would be those of files that CMD may have written")
            .fix(fmt::format("sandboxctl exec {} id -u NAME prints the number", record.name));
    }
    return {.uid = *uid, .gid = *gid};
}

void plan_user(ExecPlan& plan, const RunRecord& record, const ExecWish& wish, const ExecCaller& caller) {
    const RecordedRestrictions& held = record.restrictions;
    const Ids ids = wish.user ? read_user(record, *wish.user, caller) : Ids{.uid = held.uid, .gid = held.gid};
    const bool has_uid = is_mapped(held.uid_map, ids.uid);
    if (!has_uid || !is_mapped(held.gid_map, ids.gid)) {
        throw refuse_user(wish.user.value_or("self"))
            .cause(fmt::format("{} {} is not mapped in this sandbox", has_uid ? "gid" : "uid",
                               has_uid ? ids.gid : ids.uid))
            .fix("leave --user out: CMD is then who the sandbox was started with");
    }
    const bool is_commands_own = ids.uid == held.uid && ids.gid == held.gid;
    plan.identity.uid = ids.uid;
    plan.identity.gid = ids.gid;
    plan.drops_groups = held.drops_groups;
    if (is_commands_own) {
        plan.identity.group_count = std::min(held.groups.size(), Identity::kMostGroups);
        std::copy_n(held.groups.begin(), plan.identity.group_count, plan.identity.groups);
    }
    // Another user never has one that CMD has not; and who is not root has none for being another.
    if (ids.uid == held.uid || ids.uid == 0) {
        plan.capabilities.keep = held.capabilities;
    }
}

void set_variable(std::vector<EnvironmentEntry>& environment, const std::string& name, std::string value) {
    const auto known = std::ranges::find(environment, name, &EnvironmentEntry::name);
    if (known == environment.end()) {
        environment.push_back({.name = name, .value = std::move(value), .origin = {}});
    } else {
        known->value = std::move(value);
    }
}

void plan_environment(ExecPlan& plan, const RunRecord& record, const ExecWish& wish) {
    for (const auto& [name, value] : record.restrictions.environment) {
        plan.environment.push_back({.name = name, .value = value, .origin = {}});
    }
    if (wish.workdir) {
        set_variable(plan.environment, "PWD", *wish.workdir);
    }
    for (const std::string& word : wish.environment) {
        const std::size_t equals = word.find('=');
        if (equals == std::string::npos || equals == 0) {
            throw Error("--env: cannot set " + quoted(word)).cause("it is not NAME=VALUE");
        }
        set_variable(plan.environment, word.substr(0, equals), word.substr(equals + 1));
    }
}

void plan_limits(ExecPlan& plan, const RunRecord& record, const ExecCaller& caller) {
    for (const RecordedLimit& limit : record.restrictions.limits) {
        const auto number = static_cast<std::size_t>(limit.resource);
        if (limit.resource < 0 || number >= caller.limits.size()) {
            continue; // a kernel of today's has no more of them
        }
        const rlimit& own = caller.limits[number];
        const std::uint64_t hard = std::min<std::uint64_t>(limit.hard, own.rlim_max);
        const std::uint64_t soft = std::min(limit.soft, hard);
        if (soft != own.rlim_cur || hard != own.rlim_max) {
            plan.limits.push_back({.name = kLimitNames[number],
                                   .resource = limit.resource,
                                   .is_size = false,
                                   .soft = soft,
                                   .hard = hard,
                                   .origin = {}});
        }
    }
}

void plan_command(ExecPlan& plan, const RunRecord& record, const ExecWish& wish, const ExecCaller& caller) {
    ProcessPlan& process = plan.process;
    process.workdir = wish.workdir.value_or(record.restrictions.workdir);
    if (!process.workdir.starts_with('/')) {
        throw Error("--workdir: cannot start in " + quoted(process.workdir))
            .cause("inside there is no directory that it could lie in")
            .fix("give an absolute path: --workdir /tmp");
    }
    process.arguments = wish.arguments;
    process.candidates = find_candidates(wish.arguments.front(), plan.environment, process.workdir);
    const auto& [in, out, error] = caller.is_terminal;
    const bool is_auto = !wish.tty && !wish.no_tty;
    process.terminal = wish.tty || (is_auto && in && out);
    process.output_terminal = is_auto && !process.terminal && (out || error);
}

} // namespace

ExecCaller this_caller() {
    ExecCaller caller{.uid = ::getuid(), .gid = ::getgid()};
    for (std::size_t i = 0; i < caller.limits.size(); ++i) {
        ::getrlimit(static_cast<__rlimit_resource>(i), &caller.limits[i]);
    }
    for (int descriptor = STDIN_FILENO; descriptor <= STDERR_FILENO; ++descriptor) {
        caller.is_terminal[static_cast<std::size_t>(descriptor)] = ::isatty(descriptor) == 1;
    }
    return caller;
}

ExecPlan plan_exec(const RunRecord& record, const ExecWish& wish, const ExecCaller& caller) {
    ExecPlan plan;
    plan_user(plan, record, wish, caller);
    plan_environment(plan, record, wish);
    plan_limits(plan, record, caller);
    plan_command(plan, record, wish, caller);
    return plan;
}

} // namespace sandbox
