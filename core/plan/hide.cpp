#include "core/plan/hide.hpp"

#include <cerrno>
#include <string>
#include <utility>
#include <vector>

#include "core/base/error.hpp"
#include "core/plan/path_words.hpp"
#include "core/plan/paths.hpp"

namespace sandbox {

namespace {

void cover(FilesystemContext& context, std::string dest, const PathFact& fact, const Item& item, bool by_pattern) {
    Place place;
    place.kind = Place::Kind::cover;
    place.dest = std::move(dest);
    place.is_directory = fact.kind == PathFact::Kind::directory;
    place.rank = context.layers.rank(item.origin);
    place.origin = item.origin;
    const Place* there = context.tree.at(place.dest);
    // What one layer both names and catches with a pattern is granted: a name says more than a pattern.
    if (!by_pattern || there == nullptr || there->rank < place.rank) {
        context.tree.put(std::move(place));
    }
}

void refuse_unfit(const std::string& path, const Item& item) {
    if (path == "/") {
        throw Error(written_at(item.origin) + ": cannot hide '/'").cause("nothing would be left to run");
    }
    if (paths::is_within(path, "/proc")) {
        throw Error(written_at(item.origin) + ": cannot hide " + quoted(path))
            .cause("the sandbox has a /proc of its own")
            .fix("filesystem.masked takes paths below /proc and /sys");
    }
}

/// Takes away the grants of what lies below `real` that an earlier layer gave. One of the same layer stays: who names a
/// file of a hidden directory wants that file.
void remove_grants_below(FilesystemContext& context, const std::string& real, const Item& item, bool by_pattern) {
    std::vector<std::string> removed;
    for (const auto& [dest, place] : context.tree.places()) {
        if (place.kind != Place::Kind::host_tree || !paths::is_below(place.source, real)) {
            continue;
        }
        if (place.rank < context.layers.rank(item.origin)) {
            removed.push_back(dest);
        } else if (!by_pattern) {
            context.notice(written_at(item.origin) + ": " + quoted(place.source) +
                           " below it stays visible: " + written_at(place.origin) + " grants it");
        }
    }
    for (const std::string& dest : removed) {
        context.tree.remove(dest);
    }
}

/// Hides the host's `path` wherever it is seen; returns whether there is anything of that name.
bool hide_host_path(FilesystemContext& context, const std::string& path, const Item& item, bool by_pattern) {
    const PathFact& fact = context.facts.look_up(path);
    const std::vector<std::string> seen = context.tree.appearances(fact.real);
    if (fact.kind == PathFact::Kind::absent) {
        if (fact.error != ENOENT && fact.error != ENOTDIR && !seen.empty()) {
            throw Error(written_at(item.origin) + ": cannot hide " + quoted(path)).kernel(fact.error);
        }
        return false;
    }
    refuse_unfit(fact.real, item);
    for (const std::string& dest : seen) {
        cover(context, dest, fact, item, by_pattern);
    }
    remove_grants_below(context, fact.real, item, by_pattern);
    return true;
}

/// Hides what a path inside shows where that is another file of the host (a grant at another place).
bool hide_inside_path(FilesystemContext& context, const std::string& path, const Item& item) {
    const std::string dest = context.tree.resolve(path, item.origin);
    const Place* owner = context.tree.around(dest);
    if (owner == nullptr && context.root.is_tree() && !is_pattern(item.text)) {
        // Whether the tree has it shows when it stands: an option that matches nothing is an error then.
        cover(context, dest, {}, item, false);
        return true;
    }
    if (owner == nullptr || owner->kind != Place::Kind::host_tree || owner->source == owner->dest) {
        return false;
    }
    const PathFact& fact = context.facts.look_up(host_path(*owner, dest));
    if (fact.kind == PathFact::Kind::absent) {
        return false;
    }
    cover(context, dest, fact, item, false);
    return true;
}

void hide_item(FilesystemContext& context, const Item& item) {
    const std::string path = read_path(item, context.host).path;
    refuse_unfit(path, item);
    // A file may really be called "a[b]".
    bool any = hide_host_path(context, path, item, false);
    any = hide_inside_path(context, path, item) || any;
    if (is_pattern(item.text)) {
        for (const std::string& match : context.host.expand_glob(read_pattern(item, context.host))) {
            any = hide_host_path(context, match, item, true) || any;
        }
    }
    if (!any) {
        context.notice(written_at(item.origin) + ": hide " + quoted(item.text) + ": there is nothing of that name");
    }
}

} // namespace

void put_covers(FilesystemContext& context) {
    for (const Item& item : context.profile.filesystem.hide.items) {
        hide_item(context, item);
    }
}

} // namespace sandbox
