#include "core/plan/root_entries.hpp"

#include <set>
#include <utility>

#include "core/base/error.hpp"
#include "core/plan/layers.hpp"
#include "core/plan/paths.hpp"

namespace sandbox {

namespace {

RootEntry step(RootEntry::Kind kind, std::string dest, const Origin& origin) {
    RootEntry entry;
    entry.kind = kind;
    entry.dest = std::move(dest);
    entry.origin = origin;
    return entry;
}

RootEntry mount_of(const Place& place) {
    switch (place.kind) {
    case Place::Kind::host_tree: {
        const auto kind = place.layered ? RootEntry::Kind::overlay : RootEntry::Kind::bind;
        RootEntry entry = step(kind, place.dest, place.origin);
        entry.source = place.source;
        entry.writable = place.writable;
        entry.devices = place.devices;
        entry.source_is_directory = place.is_directory;
        return entry;
    }
    case Place::Kind::private_directory: {
        RootEntry entry = step(RootEntry::Kind::private_directory, place.dest, place.origin);
        entry.mode = place.mode;
        entry.writable = true;
        return entry;
    }
    case Place::Kind::cover:
        return step(place.is_directory ? RootEntry::Kind::cover_directory : RootEntry::Kind::cover_file, place.dest,
                    place.origin);
    case Place::Kind::text: {
        RootEntry entry = step(RootEntry::Kind::text, place.dest, place.origin);
        entry.source = place.source;
        return entry;
    }
    case Place::Kind::proc:
        return step(RootEntry::Kind::proc, place.dest, place.origin);
    case Place::Kind::devpts:
        return step(RootEntry::Kind::devpts, place.dest, place.origin);
    case Place::Kind::sysfs:
        return step(RootEntry::Kind::sysfs, place.dest, place.origin);
    case Place::Kind::cgroups:
        return step(RootEntry::Kind::cgroups, place.dest, place.origin);
    case Place::Kind::mqueue:
        return step(RootEntry::Kind::mqueue, place.dest, place.origin);
    case Place::Kind::directory:
        return step(RootEntry::Kind::directory, place.dest, place.origin);
    case Place::Kind::link: {
        RootEntry entry = step(RootEntry::Kind::link, place.dest, place.origin);
        entry.source = place.source;
        return entry;
    }
    }
    return {};
}

class Builder {
public:
    Builder(const VirtualTree& tree, HostFacts& facts, const std::string& runtime_dir)
        : tree_(tree), facts_(facts), runtime_dir_(runtime_dir) {}

    std::vector<RootEntry> build() {
        for (const auto& [dest, place] : tree_.places()) {
            if (dest == "/") {
                kept_.emplace(dest, &place);
            } else {
                add(place);
            }
        }
        return std::move(entries_);
    }

private:
    /// The deepest place above that is really there.
    [[nodiscard]] const Place* parent_of(const Place& place) const {
        for (std::string directory = place.dest; directory != "/";) {
            directory = paths::parent(directory);
            const auto found = kept_.find(directory);
            if (found != kept_.end()) {
                return found->second;
            }
        }
        return nullptr;
    }

    /// What stands in a tree of its own is made, and looked up, by the run. A file that has to be there is the user's
    /// or a name service's, and the tree may have a link in its place; what belongs to the kernel has none.
    void add_to_tree(const Place& place) {
        if (place.kind == Place::Kind::link || place.kind == Place::Kind::directory) {
            return; // the tree's own stands there
        }
        RootEntry entry = mount_of(place);
        if (place.kind == Place::Kind::cover) {
            entry.kind = RootEntry::Kind::mask;
        }
        entry.in_tree = true;
        entry.follows_links = place.origin.kind != Origin::Kind::built_in || place.kind == Place::Kind::text;
        entry.source_is_directory = place.is_directory;
        entries_.push_back(std::move(entry));
        kept_.emplace(place.dest, &place);
    }

    void add(const Place& place) {
        const Place* parent = parent_of(place);
        if (parent == nullptr && tree_.is_on_tree()) {
            add_to_tree(place);
            return;
        }
        if (place.kind == Place::Kind::cgroups) {
            entries_.push_back(mount_of(place)); // sysfs has the directory, or there are no cgroups
            return;
        }
        if (parent != nullptr && parent->kind == Place::Kind::host_tree) {
            if (!fits_into(place, *parent)) {
                return;
            }
            if (parent->writable) {
                pin_way_to(place, *parent);
            }
        } else if (place.kind == Place::Kind::link && parent != nullptr && !takes_places(*parent)) {
            return; // a link of the kernel's own, /proc/self
        } else {
            make_mount_point(place, parent);
        }
        if (place.kind != Place::Kind::directory) {
            entries_.push_back(mount_of(place));
        }
        if (place.kind != Place::Kind::link) {
            kept_.emplace(place.dest, &place);
        }
    }

    /// Whether `place` is to be mounted in the host tree `parent`. \throws Error where the host has nothing to mount it
    /// on.
    bool fits_into(const Place& place, const Place& parent) {
        if (place.kind == Place::Kind::link || place.kind == Place::Kind::directory) {
            return false; // the host's own stands there
        }
        if (!parent.is_directory) {
            refuse_inside(place, parent);
        }
        const std::string there = host_path(parent, place.dest);
        if (place.kind == Place::Kind::host_tree && place.source == there) {
            if (place.optional) {
                return false;
            }
            // Shown already: a second mount would only keep it from being renamed.
            return place.writable != parent.writable || place.devices != parent.devices ||
                   place.layered != parent.layered;
        }
        if (place.kind == Place::Kind::cover) {
            return true; // it was found there, or is made before the run
        }
        const PathFact& fact = facts_.look_up(there);
        const bool exists = fact.kind != PathFact::Kind::absent && fact.real == there;
        const bool same_type = (fact.kind == PathFact::Kind::directory) == place.is_directory;
        if (place.optional) {
            return exists && same_type;
        }
        if (!exists || !same_type) {
            refuse_ghost(place, parent, there, fact);
        }
        return true;
    }

    [[noreturn]] static void refuse_ghost(const Place& place, const Place& parent, const std::string& there,
                                          const PathFact& fact) {
        Error error(written_at(place.origin) + ": cannot put anything at " + quoted(place.dest));
        const std::string type = place.is_directory ? "directory" : "file";
        if (fact.kind == PathFact::Kind::absent) {
            error.cause("it would have to be made inside the host's " + quoted(parent.source) + " (granted by " +
                        written_at(parent.origin) + "), where it would stay behind");
            error.fix((place.is_directory ? "mkdir -p " : "touch ") + shell_quoted(there) +
                      ", or choose another place");
        } else if (fact.real != there) {
            error.cause("a symbolic link is in the way: it leads to " + quoted(fact.real));
            error.fix("choose a place without links");
        } else {
            error.cause("what the host has at " + quoted(there) + " is no " + type);
            error.fix("choose another place");
        }
        throw error;
    }

    [[noreturn]] static void refuse_inside(const Place& place, const Place& parent) {
        throw Error(written_at(place.origin) + ": cannot put anything at " + quoted(place.dest))
            .cause(quoted(parent.dest) + " is not a directory that takes other places (" + written_at(parent.origin) +
                   ")")
            .fix("choose another place");
    }

    /// CMD could rename a directory above a mount point away and put another in its place: it cannot rename a mount
    /// point.
    void pin_way_to(const Place& place, const Place& parent) {
        std::string way = parent.dest;
        const auto names = paths::components(paths::behind(place.dest, parent.dest));
        for (std::size_t i = 0; i + 1 < names.size(); ++i) {
            way = paths::join(way, names[i]);
            if (pinned_.insert(way).second) {
                entries_.push_back(step(RootEntry::Kind::pin, way, place.origin));
            }
        }
    }

    [[nodiscard]] static bool takes_places(const Place& parent) {
        return parent.is_directory &&
               (parent.kind == Place::Kind::directory || parent.kind == Place::Kind::private_directory ||
                parent.kind == Place::Kind::cover || parent.kind == Place::Kind::host_tree);
    }

    /// Makes the directories between `parent` and `place`, and what `place` is mounted on.
    void make_mount_point(const Place& place, const Place* parent) {
        if (parent != nullptr && !takes_places(*parent)) {
            refuse_inside(place, *parent);
        }
        std::string way = parent == nullptr ? "/" : parent->dest;
        const auto names = paths::components(paths::behind(place.dest, way));
        for (std::size_t i = 0; i + 1 < names.size(); ++i) {
            way = paths::join(way, names[i]);
            make(RootEntry::Kind::directory, way, place.origin);
        }
        if (place.kind != Place::Kind::link) {
            make(place.is_directory ? RootEntry::Kind::directory : RootEntry::Kind::file, place.dest, place.origin);
        }
    }

    void make(RootEntry::Kind kind, const std::string& dest, const Origin& origin) {
        if (made_.insert(dest).second) {
            entries_.push_back(step(kind, dest, origin));
            entries_.back().mode = dest == runtime_dir_ ? 0700 : 0755;
        }
    }

    const VirtualTree& tree_;
    HostFacts& facts_;
    const std::string& runtime_dir_;
    std::map<std::string, const Place*> kept_;
    std::set<std::string> made_;
    std::set<std::string> pinned_;
    std::vector<RootEntry> entries_;
};

} // namespace

std::vector<RootEntry> root_entries(const VirtualTree& tree, HostFacts& facts, const std::string& runtime_dir) {
    return Builder(tree, facts, runtime_dir).build();
}

} // namespace sandbox
