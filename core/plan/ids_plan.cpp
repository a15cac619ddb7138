#include "core/plan/ids_plan.hpp"

#include <algorithm>
#include <charconv>
#include <limits>
#include <optional>
#include <string_view>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "core/base/error.hpp"
#include "core/plan/layers.hpp"
#include "core/plan/one_of.hpp"
#include "core/plan/subids.hpp"

namespace sandbox {

namespace {

constexpr std::size_t kMostLines = 340; // user_namespaces(7), since 4.15

/// What `range` holds beside what is `taken` already.
std::vector<IdRange> without(IdRange range, std::span<const IdRange> taken) {
    std::vector<IdRange> parts{range};
    for (const IdRange& hole : taken) {
        std::vector<IdRange> rest;
        const std::uint64_t hole_end = std::uint64_t{hole.first} + hole.count;
        for (const IdRange& part : parts) {
            const std::uint64_t end = std::min(std::uint64_t{part.first} + part.count, kIdLimit);
            if (part.first < hole.first) {
                rest.push_back(
                    {part.first, static_cast<std::uint32_t>(std::min<std::uint64_t>(end, hole.first)) - part.first});
            }
            if (end > hole_end) {
                const auto start = static_cast<std::uint32_t>(std::max<std::uint64_t>(part.first, hole_end));
                rest.push_back({start, static_cast<std::uint32_t>(end - start)});
            }
        }
        parts = std::move(rest);
    }
    std::erase_if(parts, [](const IdRange& part) { return part.count == 0; });
    return parts;
}

std::vector<IdRange> usable(std::uint32_t own, std::span<const IdRange> ranges) {
    std::vector<IdRange> taken{{own, 1}};
    std::vector<IdRange> result;
    for (const IdRange& range : ranges) {
        for (const IdRange& part : without(range, taken)) {
            taken.push_back(part);
            result.push_back(part);
        }
    }
    return result;
}

bool holds(std::span<const MapEntry> map, std::uint32_t inside) {
    return std::ranges::any_of(
        map, [&](const MapEntry& line) { return inside >= line.inside && inside - line.inside < line.count; });
}

/// "1000" or "1000:1000".
struct Numbers {
    std::uint32_t uid = 0;
    std::optional<std::uint32_t> gid;
};

std::optional<std::uint32_t> read_id(std::string_view text) {
    std::uint32_t value = 0;
    const auto [rest, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (text.empty() || error != std::errc() || rest != text.data() + text.size() || value == kIdLimit) {
        return std::nullopt;
    }
    return value;
}

std::optional<Numbers> read_numbers(std::string_view text) {
    const std::size_t colon = text.find(':');
    const auto uid = read_id(text.substr(0, colon));
    if (!uid) {
        return std::nullopt;
    }
    if (colon == std::string_view::npos) {
        return Numbers{*uid, std::nullopt};
    }
    const auto gid = read_id(text.substr(colon + 1));
    return gid ? std::optional(Numbers{*uid, gid}) : std::nullopt;
}

/// Who CMD shall be, as it was written.
struct WantedUser {
    bool root = false; ///< the caller appears as 0:0
    std::optional<Numbers> numbers;
    std::string in_tree = {}; ///< the words to look up in the root's own tree
};

WantedUser read_user(const Setting<std::string>& user) {
    const std::string text = user.value_or("self");
    // A person who writes 0 means root, and root inside is the caller outside.
    if (text == "root" || text == "0" || text == "0:0") {
        return {.root = true, .numbers = {}};
    }
    if (text == "self") {
        return {};
    }
    const auto numbers = read_numbers(text);
    if (!numbers && text == "image") {
        throw Error(written_at(user.origin) + ": cannot run as the image's user: there is no image")
            .fix("--image NAME, or --user root");
    }
    if (!numbers) {
        throw Error(written_at(user.origin) + ": cannot run as the user " + quoted(text))
            .cause("it is neither self, root, UID nor UID:GID; names are looked up in an image only")
            .fix("write a number, as id -u NAME prints it");
    }
    return {.root = false, .numbers = numbers};
}

/// As read_user, on a tree of its own: names are the tree's.
WantedUser read_user_of_tree(const Setting<std::string>& user, const RootChoice& root) {
    std::string text = user.value_or("self");
    if (text == "image") {
        text = root.image ? root.image->config.user : "";
    }
    if (text.empty() || text == "self" || text == "root") {
        text = "0";
    }
    constexpr std::size_t kLongest = 255;
    const bool is_plain =
        text.size() <= kLongest && std::ranges::all_of(text, [](char byte) { return byte > ' ' && byte != '\x7f'; });
    if (!is_plain || text.front() == ':' || text.back() == ':' || std::ranges::count(text, ':') > 1) {
        throw Error(written_at(user.origin) + ": cannot run as the user " + quoted(text))
            .cause("it is neither self, root, image, USER nor USER:GROUP");
    }
    const std::size_t colon = text.find(':');
    const auto uid = read_id(std::string_view(text).substr(0, colon));
    const auto gid = colon == std::string::npos ? std::nullopt : read_id(std::string_view(text).substr(colon + 1));
    WantedUser wanted{.root = true, .numbers = {}, .in_tree = std::move(text)};
    if (uid) {
        wanted.numbers = Numbers{*uid, gid};
    }
    return wanted;
}

std::string user_or_number(const Host& host) {
    return host.user_name.empty() ? std::to_string(host.uid) : escaped(host.user_name);
}

/// Why newuidmap and newgidmap cannot write the maps, and what helps.
struct Obstacle {
    std::string cause;
    std::string fix;
};

std::optional<Obstacle> obstacle(const Host& host) {
    if (host.newuidmap.empty() || host.newgidmap.empty()) {
        return Obstacle{(host.newuidmap.empty() ? "newuidmap" : "newgidmap") + std::string(" is not installed"),
                        "install the package uidmap (shadow-utils on Fedora, shadow on Arch)"};
    }
    if (host.user_name.empty()) {
        return Obstacle{fmt::format("uid {} has no passwd entry, which newuidmap asks for", host.uid),
                        "give the user a passwd entry"};
    }
    if (host.subuids.empty() || host.subgids.empty()) {
        return Obstacle{"user " + user_or_number(host) + " has no range in " +
                            (host.subuids.empty() ? "/etc/subuid" : "/etc/subgid"),
                        subid_fix(host)};
    }
    return std::nullopt;
}

/// Whether the maps go through the helpers. \throws Error where they must and cannot.
bool through_helpers(const Setting<std::string>& map, const std::optional<Obstacle>& obstacle) {
    const std::string mode = one_of(map, kIdMaps);
    if (mode == "full" && obstacle) {
        throw Error(written_at(map.origin) + ": cannot map the whole subordinate range")
            .cause(obstacle->cause)
            .fix(obstacle->fix);
    }
    return mode != "self" && !obstacle;
}

void check_mapped(const IdsPlan& plan, const Setting<std::string>& user, const std::optional<Obstacle>& obstacle) {
    if (holds(plan.uid_map, plan.uid) && holds(plan.gid_map, plan.gid)) {
        return;
    }
    const bool uid_missing = !holds(plan.uid_map, plan.uid);
    Error error(written_at(user.origin) + ": cannot run as the user " +
                quoted(plan.user_in_root.empty() ? *user.value : plan.user_in_root));
    error.cause(fmt::format("{} {} is not mapped: the map holds {}", uid_missing ? "uid" : "gid",
                            uid_missing ? plan.uid : plan.gid,
                            plan.through_helpers ? "your subordinate range and your own id" : "your own id only"));
    if (obstacle) {
        error.cause(obstacle->cause).fix(obstacle->fix);
    } else if (!plan.through_helpers) {
        error.fix("ids.map = \"auto\"");
    } else {
        error.fix("choose an id that is mapped, or self or root");
    }
    throw error;
}

/// Whether setgroups(0) is to be called. \throws Error where groups stay that were to be dropped.
bool plan_groups(const IdsPlan& plan, const Setting<std::string>& groups, const Host& host,
                 const std::optional<Obstacle>& obstacle) {
    if (one_of(groups, kGroupWords) == "keep") {
        return false;
    }
    if (plan.through_helpers) {
        return true;
    }
    std::vector<std::uint32_t> others = host.groups;
    std::erase(others, host.gid);
    if (others.empty()) {
        return false;
    }
    // Without newgidmap the kernel wants setgroups denied before gid_map is written: user_namespaces(7).
    Error error(fmt::format("cannot drop the supplementary groups {}", fmt::join(others, ", ")));
    error.cause("only newgidmap can write a map under which groups can be dropped");
    if (obstacle) {
        error.cause(obstacle->cause).fix(obstacle->fix);
    } else {
        error.cause(written_at(plan.map_origin) + " asks for the single-id map").fix("ids.map = \"auto\"");
    }
    error.fix("ids.groups = \"keep\": CMD then has the rights of these groups");
    throw error;
}

} // namespace

std::vector<MapEntry> map_around(std::uint32_t own, std::uint32_t inside, std::span<const IdRange> ranges) {
    std::vector<MapEntry> map{{inside, own, 1}};
    std::uint64_t next = 0;
    for (IdRange range : usable(own, ranges)) {
        while (range.count > 0 && next < kIdLimit && map.size() < kMostLines) {
            if (next == inside) {
                ++next;
                continue;
            }
            const std::uint64_t room = (next < inside ? inside : kIdLimit) - next;
            const auto count = static_cast<std::uint32_t>(std::min<std::uint64_t>(range.count, room));
            map.push_back({static_cast<std::uint32_t>(next), range.first, count});
            next += count;
            range.first += count;
            range.count -= count;
        }
    }
    std::ranges::sort(map, {}, &MapEntry::inside);
    return map;
}

IdsPlan plan_ids(const Profile::Ids& ids, const Host& host, const RootChoice& root) {
    const WantedUser wanted = root.is_tree() ? read_user_of_tree(ids.user, root) : read_user(ids.user);
    const std::optional<Obstacle> in_the_way = obstacle(host);

    IdsPlan plan;
    plan.map_origin = ids.map.origin;
    plan.user_origin = ids.user.origin;
    plan.groups_origin = ids.groups.origin;
    plan.through_helpers = through_helpers(ids.map, in_the_way);

    const std::uint32_t own_uid = wanted.root ? 0 : host.uid;
    const std::uint32_t own_gid = wanted.root ? 0 : host.gid;
    if (plan.through_helpers) {
        plan.newuidmap = host.newuidmap;
        plan.newgidmap = host.newgidmap;
        plan.uid_map = map_around(host.uid, own_uid, host.subuids);
        plan.gid_map = map_around(host.gid, own_gid, host.subgids);
    } else {
        plan.uid_map = {{own_uid, host.uid, 1}};
        plan.gid_map = {{own_gid, host.gid, 1}};
    }
    plan.user_in_root = wanted.in_tree;
    plan.uid = wanted.numbers ? wanted.numbers->uid : own_uid;
    plan.gid = wanted.numbers ? wanted.numbers->gid.value_or(own_gid) : own_gid;
    if (wanted.numbers) {
        check_mapped(plan, ids.user, in_the_way);
    }
    plan.drop_groups = plan_groups(plan, ids.groups, host, in_the_way);
    return plan;
}

} // namespace sandbox
