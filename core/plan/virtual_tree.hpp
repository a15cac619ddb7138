// The new root as it will look, before anything is mounted: what stands at which path, what shows which host file.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/plan/host_facts.hpp"
#include "core/plan/origin.hpp"
#include "core/plan/paths.hpp"

namespace sandbox {

/// Something that has its place in the new root.
struct Place {
    enum class Kind {
        directory,         ///< an empty one, part of the skeleton
        link,              ///< a symbolic link holding `source`
        host_tree,         ///< the host's `source`, a real path
        private_directory, ///< own, empty and writable
        cover,             ///< hides what is there
        text,              ///< a file that holds `source`
        proc,
        devpts,
        sysfs,
        cgroups,
        mqueue,
    };

    Kind kind = Kind::directory;
    std::string dest; ///< absolute, free of links
    std::string source;
    bool is_directory = true; ///< host_tree, cover: what stands there on the host
    bool writable = false;    ///< host_tree
    bool layered = false;     ///< host_tree: under a private layer, which takes what is written
    bool devices = false;     ///< host_tree
    bool optional = false;    ///< left out where a host tree around it has or lacks it
    std::uint32_t mode = 0755;
    int rank = 0; ///< the layer that asked for it; the greater wins a dest
    Origin origin;

    /// Whether what CMD writes there stays on the host.
    [[nodiscard]] bool changes_host() const { return kind == Kind::host_tree && writable && !layered; }
};

/// Ranks under those of every layer of a Profile.
constexpr int kBaseRank = -1;
constexpr int kLinkRank = -2;

/// All places by dest, a directory before what it holds.
class VirtualTree {
public:
    /// \param on_tree the root is a tree of its own (RootChoice::is_tree): what lies between the places is the tree's,
    /// unknown here, and never looks like the host.
    explicit VirtualTree(HostFacts& facts, bool on_tree = false) : facts_(facts), on_tree_(on_tree) {}

    [[nodiscard]] bool is_on_tree() const { return on_tree_; }

    using Places = std::map<std::string, Place, paths::Before>;
    [[nodiscard]] const Places& places() const { return places_; }

    /// Puts `place` at its dest; where something is there, the greater rank stays.
    /// \throws Error where one layer asks for two different things.
    void put(Place place);

    /// The host tree at `dest` cannot be written; nothing happens where there is none.
    void make_read_only(const std::string& dest);

    /// Nothing stands at `dest` any more.
    void remove(const std::string& dest) { places_.erase(dest); }

    /// Recreates a link of the host that was walked, unless something stands there.
    void put_link(const WalkedLink& link, const Origin& origin);

    /// What stands at `dest` itself; null where nothing does.
    [[nodiscard]] const Place* at(const std::string& dest) const;

    /// The deepest place at `dest` or above that is no link: what `dest` belongs to. Null: the skeleton.
    [[nodiscard]] const Place* around(const std::string& dest) const;

    /// As `around`, above `dest` only.
    [[nodiscard]] const Place* above(const std::string& dest) const;

    /// Where the absolute `path` leads inside: the links that stand there are followed, those of the skeleton and of
    /// granted trees. \throws Error for a loop.
    [[nodiscard]] std::string resolve(const std::string& path, const Origin& origin) {
        return resolve(path, origin, false);
    }

    /// As `resolve`; a link of the host that `path` walks where nothing was granted is made inside too, and followed.
    [[nodiscard]] std::string resolve_and_recreate_links(const std::string& path, const Origin& origin) {
        return resolve(path, origin, true);
    }

    /// The paths inside at which the host's `real` path can be seen.
    [[nodiscard]] std::vector<std::string> appearances(const std::string& real) const;

    /// Whether a directory will stand at the resolved path `dest`.
    [[nodiscard]] bool shows_directory(const std::string& dest) const;

private:
    [[nodiscard]] std::string resolve(const std::string& path, const Origin& origin, bool recreate);

    /// The link that will stand at `path`, if one will.
    [[nodiscard]] std::optional<std::string> link_inside(const std::string& path, const Origin& origin, bool recreate);

    HostFacts& facts_;
    bool on_tree_;
    Places places_;
};

/// The host's path of what `dest` shows; `tree` is the host tree around it.
[[nodiscard]] std::string host_path(const Place& tree, const std::string& dest);

} // namespace sandbox
