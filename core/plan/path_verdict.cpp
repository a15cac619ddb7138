#include "core/plan/path_verdict.hpp"

#include <linux/limits.h>

#include <algorithm>
#include <array>
#include <deque>
#include <utility>

#include "core/plan/paths.hpp"

namespace sandbox {

namespace {

using Kind = RootEntry::Kind;

constexpr std::array kIntentWords = {"look", "read", "write", "create", "execute", "list"}; // in PathIntent's order

bool shows_host(const RootEntry& entry) {
    return entry.kind == Kind::bind || entry.kind == Kind::overlay;
}

/// /proc and /sys of shared namespaces are binds, and so are devices, which a read-only mount leaves writable.
bool is_kernels(const RootEntry& entry) {
    return entry.dest == "/proc" || paths::is_within(entry.source, "/proc") || paths::is_within(entry.source, "/sys") ||
           (entry.devices && !paths::is_within(entry.source, "/dev/shm"));
}

PathStanding standing_of(const RootEntry& entry) {
    switch (entry.kind) {
    case Kind::bind:
        if (is_kernels(entry)) {
            return PathStanding::kernel;
        }
        return entry.writable ? PathStanding::read_write : PathStanding::read_only;
    case Kind::overlay:
        return PathStanding::read_write;
    case Kind::text:
        return PathStanding::read_only;
    case Kind::private_directory:
        return PathStanding::private_place;
    case Kind::cover_directory:
    case Kind::cover_file:
    case Kind::mask:
        return PathStanding::covered;
    default:
        return PathStanding::kernel;
    }
}

bool changes(PathIntent intent) {
    return intent == PathIntent::write || intent == PathIntent::create;
}

/// \param finds_needed PathCall::finds_needed, settled.
PathEffect effect_of(const PathVerdict& verdict, PathIntent intent, bool finds_needed) {
    switch (verdict.standing) {
    case PathStanding::covered:
    case PathStanding::absent:
        return PathEffect::refused;
    case PathStanding::read_only:
        return changes(intent) ? PathEffect::refused : PathEffect::works;
    case PathStanding::private_place:
        if (verdict.inside == verdict.place) {
            return PathEffect::works;
        }
        if (intent == PathIntent::create) {
            return finds_needed || verdict.in_tree ? PathEffect::lost : PathEffect::refused;
        }
        // Nobody expects the host's files in a system of its own.
        return verdict.in_tree ? PathEffect::works : PathEffect::refused;
    default:
        return PathEffect::works;
    }
}

std::optional<HostCheck> check_of(const PathVerdict& verdict, PathIntent intent) {
    const bool is_of_tree = verdict.in_tree && verdict.standing == PathStanding::private_place;
    if (verdict.effect == PathEffect::works || verdict.host_path.empty() || is_of_tree) {
        return std::nullopt;
    }
    switch (intent) {
    case PathIntent::look:
        return HostCheck{verdict.host_path, HostCheck::Need::exists};
    case PathIntent::read:
    case PathIntent::list:
        return HostCheck{verdict.host_path, HostCheck::Need::read};
    case PathIntent::write:
        return HostCheck{verdict.host_path, HostCheck::Need::write};
    case PathIntent::create:
        return HostCheck{paths::parent(verdict.host_path), HostCheck::Need::write};
    case PathIntent::execute:
        return HostCheck{verdict.host_path, HostCheck::Need::execute};
    }
    return std::nullopt;
}

} // namespace

const char* word(PathIntent intent) {
    return kIntentWords.at(static_cast<std::size_t>(intent));
}

std::optional<PathIntent> find_intent(std::string_view word) {
    const auto* const found = std::ranges::find(kIntentWords, word);
    return found == kIntentWords.end() ? std::nullopt
                                       : std::optional(static_cast<PathIntent>(found - kIntentWords.begin()));
}

PathOracle::PathOracle(const RootPlan& plan, ReadHostLink read_link) : plan_(plan), read_link_(std::move(read_link)) {
    for (const RootEntry& entry : plan.entries) {
        switch (entry.kind) {
        case Kind::link:
            links_[entry.dest] = &entry;
            break;
        case Kind::directory:
            skeleton_[entry.dest] = &entry;
            break;
        case Kind::file:
        case Kind::pin:
        case Kind::read_only_in_place:
            break; // they show what their surroundings show, or what is mounted next
        default:
            places_[entry.dest] = &entry; // a later mount lies on top of an earlier one
        }
    }
}

const RootEntry* PathOracle::around(std::string_view path) const {
    while (true) {
        const auto found = places_.find(path);
        if (found != places_.end()) {
            return found->second;
        }
        const std::size_t slash = path.rfind('/');
        if (slash == 0 || slash == std::string_view::npos) {
            return nullptr;
        }
        path = path.substr(0, slash);
    }
}

/// The host's path of what stands at `path`; empty where it shows none, or one that is not known.
std::string PathOracle::shown_at(const std::string& path, const RootEntry* owner) const {
    if (owner != nullptr) {
        return shows_host(*owner) ? paths::join(owner->source, paths::behind(path, owner->dest)) : "";
    }
    if (plan_.tree) {
        return plan_.tree->directory.empty() ? "" : paths::join(plan_.tree->directory, path);
    }
    return plan_.host_root ? path : "";
}

/// What the host has where `owner` shows something of ours instead.
std::string PathOracle::hidden_at(const std::string& path, const RootEntry& owner) const {
    const RootEntry* below = owner.dest == "/" ? nullptr : around(paths::parent(owner.dest));
    const std::string shown = shown_at(path, below);
    const bool is_of_image = below == nullptr && plan_.tree && standing_of(owner) == PathStanding::covered;
    return shown.empty() && !is_of_image ? path : shown;
}

bool PathOracle::is_in_tree(const RootEntry* owner) const {
    while (owner != nullptr && !shows_host(*owner)) {
        owner = around(paths::parent(owner->dest));
    }
    return owner == nullptr && plan_.tree;
}

std::optional<std::string> PathOracle::link_at(const std::string& path) const {
    const auto link = links_.find(path);
    if (link != links_.end()) {
        return link->second->source;
    }
    const RootEntry* owner = around(path);
    if (!read_link_ || (owner != nullptr && owner->dest == path)) {
        return std::nullopt;
    }
    const std::string shown = shown_at(path, owner);
    return shown.empty() ? std::nullopt : read_link_(shown);
}

/// path_resolution(7), over the links that are known.
std::optional<std::string> PathOracle::resolve(const PathCall& call) const {
    const auto names = paths::components(call.path);
    std::deque<std::string> ahead(names.begin(), names.end());
    const bool follows_last = call.follows_last_link || call.path.ends_with('/') || call.path.ends_with("/.");
    std::string here = "/";
    for (int links = 0; !ahead.empty();) {
        const std::string name = std::move(ahead.front());
        ahead.pop_front();
        if (name == "..") {
            here = paths::parent(here);
            continue;
        }
        std::string next = paths::join(here, name);
        const std::optional<std::string> target = ahead.empty() && !follows_last ? std::nullopt : link_at(next);
        if (!target) {
            here = std::move(next);
            continue;
        }
        if (++links > paths::kMostLinks) {
            return std::nullopt;
        }
        here = target->starts_with('/') ? "/" : here;
        const auto more = paths::components(*target);
        ahead.insert(ahead.begin(), more.begin(), more.end());
    }
    return here;
}

void PathOracle::judge_owned(PathVerdict& verdict, const RootEntry& owner) const {
    verdict.standing = standing_of(owner);
    verdict.place = owner.dest;
    verdict.decided_by = owner.origin;
    verdict.in_tree = is_in_tree(&owner);
    verdict.host_path = shows_host(owner) ? shown_at(verdict.inside, &owner) : hidden_at(verdict.inside, owner);
}

/// Nothing was put there: it is the root's own.
void PathOracle::judge_unowned(PathVerdict& verdict) const {
    const auto granted = [&](bool writable, const Origin& origin) {
        verdict.standing = writable ? PathStanding::read_write : PathStanding::read_only;
        verdict.place = std::string("/"); // moved: g++ 12 warns of the copy
        verdict.decided_by = origin;
        verdict.host_path = shown_at(verdict.inside, nullptr);
    };
    if (plan_.tree) {
        granted(plan_.tree->writable, plan_.tree->origin);
        verdict.in_tree = true;
        return;
    }
    if (plan_.host_root) {
        granted(plan_.host_root_writable, plan_.host_root_origin);
        return;
    }
    verdict.host_path = verdict.inside;
    // A link that was not to be followed is there.
    const bool is_there = verdict.inside == "/" || links_.contains(verdict.inside);
    verdict.standing = is_there ? PathStanding::skeleton : PathStanding::absent;
}

bool PathOracle::makes_directory(const std::string& inside) const {
    return places_.contains(inside) || skeleton_.contains(inside);
}

std::optional<PathVerdict> PathOracle::judge(const PathCall& call) const {
    const bool is_path =
        call.path.starts_with('/') && call.path.size() < PATH_MAX && call.path.find('\0') == std::string::npos;
    std::optional<std::string> inside = is_path ? resolve(call) : std::nullopt;
    if (!inside) {
        return std::nullopt;
    }
    PathVerdict verdict;
    verdict.inside = std::move(*inside);
    const RootEntry* owner = around(verdict.inside);
    if (owner != nullptr) {
        judge_owned(verdict, *owner);
    } else {
        judge_unowned(verdict);
    }
    const bool is_empty_there =
        verdict.standing == PathStanding::absent || verdict.standing == PathStanding::private_place;
    const bool is_ours = links_.contains(verdict.inside) || skeleton_.contains(verdict.inside);
    if (is_empty_there && is_ours && verdict.inside != verdict.place) {
        verdict.standing = PathStanding::skeleton;
    }
    const bool finds_needed = call.finds_needed.value_or(makes_directory(paths::parent(verdict.inside)));
    verdict.effect = effect_of(verdict, call.intent, finds_needed);
    verdict.check = check_of(verdict, call.intent);
    return verdict;
}

} // namespace sandbox
