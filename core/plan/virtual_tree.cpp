#include "core/plan/virtual_tree.hpp"

#include <cerrno>
#include <deque>
#include <utility>

#include "core/base/error.hpp"
#include "core/plan/layers.hpp"

namespace sandbox {

namespace {

bool same_thing(const Place& left, const Place& right) {
    return left.kind == right.kind && left.source == right.source && left.writable == right.writable &&
           left.layered == right.layered;
}

std::string wish(const Place& place) {
    switch (place.kind) {
    case Place::Kind::host_tree:
        return (place.layered    ? "shows it under a private layer"
                : place.writable ? "shows it writable"
                                 : "shows it read-only") +
               (place.source == place.dest ? "" : " from " + quoted(place.source));
    case Place::Kind::private_directory:
        return "makes it an empty directory of the sandbox";
    case Place::Kind::cover:
        return "hides it";
    default:
        return "needs it";
    }
}

[[noreturn]] void refuse_contradiction(const Place& first, const Place& second) {
    throw Error(written_at(second.origin) + ": cannot have " + quoted(second.dest) + " in two ways")
        .cause(written_at(first.origin) + " " + wish(first))
        .cause(written_at(second.origin) + " " + wish(second))
        .fix("keep one of the two");
}

} // namespace

void VirtualTree::put(Place place) {
    const auto [found, added] = places_.try_emplace(place.dest, place);
    if (added || found->second.rank > place.rank) {
        return;
    }
    if (found->second.rank == place.rank && !same_thing(found->second, place)) {
        refuse_contradiction(found->second, place);
    }
    found->second = std::move(place);
}

void VirtualTree::make_read_only(const std::string& dest) {
    const auto found = places_.find(dest);
    if (found != places_.end() && found->second.kind == Place::Kind::host_tree) {
        found->second.writable = false;
    }
}

void VirtualTree::put_link(const WalkedLink& link, const Origin& origin) {
    if (on_tree_ && above(link.path) == nullptr) {
        return; // the tree has links of its own
    }
    Place place;
    place.kind = Place::Kind::link;
    place.dest = link.path;
    place.source = link.target;
    place.rank = kLinkRank;
    place.origin = origin;
    put(std::move(place));
}

const Place* VirtualTree::at(const std::string& dest) const {
    const auto found = places_.find(dest);
    return found == places_.end() ? nullptr : &found->second;
}

const Place* VirtualTree::around(const std::string& dest) const {
    const Place* place = at(dest);
    return place != nullptr && place->kind != Place::Kind::link ? place : above(dest);
}

const Place* VirtualTree::above(const std::string& dest) const {
    std::string directory = dest;
    while (directory != "/") {
        directory = paths::parent(directory);
        const Place* place = at(directory);
        if (place != nullptr && place->kind != Place::Kind::link) {
            return place;
        }
    }
    return nullptr;
}

std::optional<std::string> VirtualTree::link_inside(const std::string& path, const Origin& origin, bool recreate) {
    const Place* owner = around(path);
    if (owner != nullptr && owner->kind == Place::Kind::host_tree) {
        return owner->dest == path ? std::nullopt : facts_.link_at(host_path(*owner, path));
    }
    const Place* place = at(path);
    if (place != nullptr) {
        return place->kind == Place::Kind::link ? std::optional(place->source) : std::nullopt;
    }
    if (owner != nullptr || !recreate || on_tree_) {
        return std::nullopt;
    }
    // Nothing but the skeleton: it looks like the host, so that /home -> /data/home leads where it does outside.
    const std::optional<std::string>& target = facts_.link_at(path);
    if (target) {
        put_link({path, *target}, origin);
    }
    return target;
}

std::string VirtualTree::resolve(const std::string& path, const Origin& origin, bool recreate) {
    const auto names = paths::components(path);
    std::deque<std::string> rest(names.begin(), names.end());
    std::string here = "/";
    int links = 0;
    if (recreate) {
        facts_.look_up(path); // one walk for all the questions below
    }
    while (!rest.empty()) {
        const std::string name = std::move(rest.front());
        rest.pop_front();
        if (name == "..") {
            here = paths::parent(here);
            continue;
        }
        std::string next = paths::join(here, name);
        const std::optional<std::string> target = link_inside(next, origin, recreate);
        if (!target) {
            here = std::move(next);
            continue;
        }
        if (++links > paths::kMostLinks) {
            throw Error(written_at(origin) + ": cannot find the place of " + quoted(path)).kernel(ELOOP);
        }
        if (target->starts_with('/')) {
            here = "/";
        }
        const auto more = paths::components(*target);
        rest.insert(rest.begin(), more.begin(), more.end());
    }
    return here;
}

std::vector<std::string> VirtualTree::appearances(const std::string& real) const {
    std::vector<std::string> result;
    for (const auto& [dest, place] : places_) {
        if (place.kind != Place::Kind::host_tree || !paths::is_within(real, place.source)) {
            continue;
        }
        std::string inside = paths::join(dest, paths::behind(real, place.source));
        if (around(inside) == &place) {
            result.push_back(std::move(inside));
        }
    }
    return result;
}

bool VirtualTree::shows_directory(const std::string& dest) const {
    const Place* owner = around(dest);
    if (owner != nullptr && owner->kind == Place::Kind::host_tree) {
        const std::string real = host_path(*owner, dest);
        const PathFact& fact = facts_.look_up(real);
        return fact.kind == PathFact::Kind::directory && fact.real == real;
    }
    if (owner != nullptr && owner->dest == dest) {
        return owner->is_directory;
    }
    // Between the places stand the directories that lead to them.
    const auto next = places_.upper_bound(dest);
    return dest == "/" || (next != places_.end() && paths::is_below(next->first, dest));
}

std::string host_path(const Place& tree, const std::string& dest) {
    return paths::join(tree.source, paths::behind(dest, tree.dest));
}

} // namespace sandbox
