#include "core/plan/protections.hpp"

#include <utility>

#include "core/base/error.hpp"
#include "core/plan/path_words.hpp"
#include "core/plan/paths.hpp"

namespace sandbox {

namespace {

constexpr const char* kReason = "protection";

class Protector {
public:
    explicit Protector(FilesystemContext& context) : context_(context) {}

    std::vector<std::string> protect() {
        // The host's processes, where its root shows up elsewhere: they offer /proc/PID/root.
        cover_everywhere("/proc", false);
        for (const OwnDirectory& runtime : context_.own.runtimes) {
            cover_everywhere(runtime.real, false);
        }
        for (const OwnDirectory& data : context_.own.datas) {
            // What CMD could put in its place would hold the filters of the next run.
            refuse_replaceable_links(data.written);
            cover_everywhere(data.real, true);
        }
        for (const OwnDirectory& config : context_.own.configs) {
            keep_profiles(config);
        }
        return std::move(ensured_);
    }

private:
    [[nodiscard]] const Place& tree_around(const std::string& dest) const { return *context_.tree.around(dest); }

    /// Whether CMD could put another file in the place of `real`, or of a directory above it.
    [[nodiscard]] bool can_be_replaced(const std::string& real) const {
        return std::ranges::any_of(context_.tree.appearances(real), [&](const std::string& dest) {
            const Place& tree = tree_around(dest);
            for (std::string way = real; tree.changes_host() && way != tree.source;) {
                way = paths::parent(way);
                if (context_.host.may_write(way)) {
                    return true;
                }
            }
            return false;
        });
    }

    /// Whether `real` is there at the start; what CMD could make is made before.
    bool stands_at(const std::string& dest, const std::string& real, bool make) {
        if (context_.facts.look_up(real).kind != PathFact::Kind::absent) {
            return true;
        }
        if (!make || !tree_around(dest).writable || !context_.facts.can_exist(real)) {
            return false;
        }
        if (std::ranges::find(ensured_, real) == ensured_.end()) {
            ensured_.push_back(real);
        }
        return true;
    }

    void put(Place::Kind kind, const std::string& dest, const std::string& source, bool is_directory) {
        if (context_.tree.at(dest) != nullptr && context_.tree.at(dest)->kind != Place::Kind::link) {
            return; // something of its own stands there, and no file of the host's shows
        }
        Place place;
        place.kind = kind;
        place.dest = dest;
        place.source = source;
        place.is_directory = is_directory;
        place.rank = kBaseRank;
        place.origin = built_in(kReason);
        context_.tree.put(std::move(place));
    }

    [[nodiscard]] bool is_directory(const std::string& real) const {
        const auto kind = context_.facts.look_up(real).kind;
        return kind == PathFact::Kind::directory || kind == PathFact::Kind::absent; // absent: it will be made
    }

    void cover_everywhere(const std::string& real, bool make) {
        for (const std::string& dest : context_.tree.appearances(real)) {
            if (stands_at(dest, real, make)) {
                put(Place::Kind::cover, dest, "", is_directory(real));
            }
        }
    }

    /// Grants of `real` itself, or of what lies below it.
    void keep_grants_read_only(const std::string& real) {
        std::vector<std::string> writable;
        for (const auto& [dest, place] : context_.tree.places()) {
            if (!place.changes_host() || !paths::is_within(place.source, real)) {
                continue;
            }
            if (place.origin.kind == Origin::Kind::option) {
                throw Error(written_at(place.origin) + ": cannot show " + quoted(place.source) + " writable")
                    .cause("a command that writes the profiles chooses the cage of its next run")
                    .fix("grant it read-only");
            }
            writable.push_back(dest);
        }
        for (const std::string& dest : writable) {
            context_.tree.make_read_only(dest);
            context_.notice(quoted(dest) + " is read-only: it belongs to the profiles");
        }
    }

    void keep_read_only(const std::string& real, bool make) {
        keep_grants_read_only(real);
        for (const std::string& dest : context_.tree.appearances(real)) {
            if (tree_around(dest).changes_host() && stands_at(dest, real, make)) {
                put(Place::Kind::host_tree, dest, real, is_directory(real));
            }
        }
    }

    void keep_profiles(const OwnDirectory& config) {
        const auto is_writable_tree = [](const auto& entry) { return entry.second.changes_host(); };
        if (std::ranges::none_of(context_.tree.places(), is_writable_tree)) {
            return;
        }
        refuse_replaceable_links(config.written);
        keep_read_only(config.real, true);
        // Single profiles, or their directory, may be links to elsewhere, and a profile may be named by its path.
        const std::string profiles = paths::join(config.real, "profiles");
        std::vector<std::string> files = context_.host.expand_glob(protect_from_glob(profiles) + "/*");
        files.push_back(profiles);
        for (const std::string& file : context_.profile.lineage) {
            if (file.starts_with('/') || !context_.host.cwd.empty()) {
                files.push_back(file.starts_with('/') ? file : paths::join(context_.host.cwd, file));
            }
        }
        for (const std::string& file : files) {
            const PathFact& profile = context_.facts.look_up(file);
            if (profile.kind != PathFact::Kind::absent) {
                refuse_replaceable_links(file);
            }
            const bool elsewhere =
                profile.kind != PathFact::Kind::absent && !paths::is_within(profile.real, config.real);
            if (elsewhere && (context_.host.may_write(profile.real) || can_be_replaced(profile.real))) {
                keep_read_only(profile.real, false);
            }
        }
    }

    /// A bind protects what a link leads to, but not the link.
    void refuse_replaceable_links(const std::string& path) const {
        for (const WalkedLink& link : context_.facts.look_up(path).links) {
            if (!can_be_replaced(link.path)) {
                continue;
            }
            throw Error("cannot protect our own " + quoted(path) + " against CMD")
                .cause("it is reached through the symbolic link " + quoted(link.path) +
                       ", and the directory of that link is granted writable")
                .fix("name it without a link, or grant less");
        }
    }

    FilesystemContext& context_;
    std::vector<std::string> ensured_;
};

} // namespace

std::vector<std::string> put_protections(FilesystemContext& context) {
    return Protector(context).protect();
}

} // namespace sandbox
