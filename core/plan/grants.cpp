#include "core/plan/grants.hpp"

#include <optional>
#include <utility>

#include "core/base/error.hpp"
#include "core/plan/exposure.hpp"
#include "core/plan/path_words.hpp"
#include "core/plan/paths.hpp"

namespace sandbox {

namespace {

/// The grant of one item; nothing where it is not to be shown, which has been said.
std::optional<Grant> find_grant(FilesystemContext& context, const Item& item, bool writable, bool layered) {
    const bool by_option = item.origin.kind == Origin::Kind::option;
    if (!by_option && context.host.cwd.empty() && mentions_caller(item.text)) {
        context.notice("the current directory cannot be named: it is not shown in the sandbox");
        return std::nullopt;
    }
    GrantWord word = read_grant(item, context.host);
    const PathFact& fact = context.facts.look_up(word.source.path);
    if (!by_option && word.source.follows_caller) {
        const std::string reason = why_not_exposed(context, fact);
        if (!reason.empty()) {
            context.notice("the current directory " + quoted(context.host.cwd) + " " + reason +
                           ": a profile does not expose it; ask with " +
                           (layered    ? "--overlay ."
                            : writable ? "--rw ."
                                       : "--ro ."));
            return std::nullopt;
        }
    }
    if (fact.kind == PathFact::Kind::absent) {
        throw Error(written_at(item.origin) + ": cannot show " + quoted(word.source.path)).kernel(fact.error);
    }
    if (layered && fact.kind != PathFact::Kind::directory) {
        throw Error(written_at(item.origin) + ": cannot lay a private layer over " + quoted(word.source.path))
            .cause("it is no directory")
            .fix("name the directory that it lies in");
    }
    refuse_forbidden(context, fact, writable && !layered, item.origin);
    if (fact.real == "/" && word.dest == "/") {
        word.dest.clear();
    }
    if (word.dest.empty() && context.root.is_tree()) {
        word.dest = paths::normal(word.source.path); // the host's links mean nothing in a tree of its own
    }
    return Grant{&item, writable, layered, std::move(word.source.path), &fact, std::move(word.dest)};
}

void put_tree(FilesystemContext& context, const Grant& grant, std::string dest) {
    refuse_kernel_place(dest, grant.fact->real, grant.origin());
    Place place;
    place.kind = Place::Kind::host_tree;
    place.dest = std::move(dest);
    place.source = grant.fact->real;
    place.is_directory = grant.fact->kind == PathFact::Kind::directory;
    place.writable = grant.writable;
    place.layered = grant.layered;
    place.devices = paths::is_within(grant.fact->real, "/dev");
    place.rank = context.layers.rank(grant.origin());
    place.origin = grant.origin();
    context.tree.put(std::move(place));
}

void put_elsewhere(FilesystemContext& context, const Grant& grant) {
    std::string dest = context.tree.resolve_and_recreate_links(grant.dest, grant.origin());
    if (dest == "/") {
        throw Error(written_at(grant.origin()) + ": cannot put " + quoted(grant.written) + " at '/'")
            .cause("the root of the sandbox is its own")
            .fix("choose a place below it");
    }
    put_tree(context, grant, std::move(dest));
}

std::uint32_t private_mode(const FilesystemContext& context, const std::string& written, const std::string& dest) {
    for (const char* shared : {"/tmp", "/var/tmp", "/dev/shm"}) {
        if (written == shared || dest == shared) {
            return 01777;
        }
    }
    return dest == context.own.homes.front().real || written == paths::normal(context.host.home) ? 0700 : 0755;
}

void put_private(FilesystemContext& context, const Item& item, const PathWord& word) {
    const std::string dest = context.tree.resolve_and_recreate_links(word.path, item.origin);
    if (dest == "/") {
        if (word.is_home_itself) {
            return; // a user whose home is "/": the root is empty and private already
        }
        throw Error(written_at(item.origin) + ": cannot make '/' a private directory")
            .cause("the root of the sandbox is always its own")
            .fix("filesystem.root = \"empty\" for one without the system's directories");
    }
    refuse_kernel_place(dest, "", item.origin);
    Place place;
    place.kind = Place::Kind::private_directory;
    place.dest = dest;
    place.writable = true;
    place.mode = private_mode(context, word.path, dest);
    place.rank = context.layers.rank(item.origin);
    place.origin = item.origin;
    context.tree.put(std::move(place));
}

/// Something that goes to a path inside which the caller wrote.
struct Elsewhere {
    std::size_t depth = 0;
    const Grant* grant = nullptr; ///< else a private directory:
    const Item* item = nullptr;
    PathWord word;
};

std::vector<Elsewhere> find_elsewhere(const FilesystemContext& context, const std::vector<Grant>& grants) {
    std::vector<Elsewhere> all;
    for (const Item& item : context.profile.filesystem.tmpfs.items) {
        PathWord word = read_path(item, context.host);
        const std::size_t depth = paths::depth(word.path);
        all.push_back({depth, nullptr, &item, std::move(word)});
    }
    for (const Grant& grant : grants) {
        if (!grant.dest.empty()) {
            all.push_back({paths::depth(grant.dest), &grant, grant.item, {}});
        }
    }
    std::ranges::stable_sort(all, {}, &Elsewhere::depth);
    return all;
}

/// Whether an earlier run could have made `link`, which leads out of a tree that this one shows too: writable or not
/// now, it may have been writable then.
bool is_planted(const WalkedLink& link, const Grant& grant, const Place& tree) {
    return tree.kind == Place::Kind::host_tree && paths::is_below(link.path, tree.source) &&
           !paths::is_within(grant.fact->real, tree.source);
}

} // namespace

std::vector<Grant> find_grants(FilesystemContext& context) {
    std::vector<Grant> grants;
    const auto find_all = [&](const List& list, bool writable, bool layered = false) {
        for (const Item& item : list.items) {
            if (auto grant = find_grant(context, item, writable, layered)) {
                grants.push_back(std::move(*grant));
            }
        }
    };
    find_all(context.profile.filesystem.read_only, false);
    find_all(context.profile.filesystem.read_write, true);
    find_all(context.profile.filesystem.overlay, true, true);
    return grants;
}

void put_grants_in_place(FilesystemContext& context, const std::vector<Grant>& grants) {
    for (const Grant& grant : grants) {
        if (!grant.dest.empty()) {
            continue;
        }
        for (const WalkedLink& link : grant.fact->links) {
            context.tree.put_link(link, grant.origin());
        }
        put_tree(context, grant, grant.fact->real);
    }
}

void put_grants_elsewhere(FilesystemContext& context, const std::vector<Grant>& grants) {
    for (const Elsewhere& one : find_elsewhere(context, grants)) {
        if (one.grant != nullptr) {
            put_elsewhere(context, *one.grant);
        } else {
            put_private(context, *one.item, one.word);
        }
    }
}

void refuse_planted_links(FilesystemContext& context, const std::vector<Grant>& grants) {
    for (const Grant& grant : grants) {
        for (const WalkedLink& link : grant.fact->links) {
            if (!context.host.may_write(paths::parent(link.path))) {
                continue; // the system's: nothing that CMD did could make it
            }
            for (const auto& [dest, tree] : context.tree.places()) {
                if (!is_planted(link, grant, tree)) {
                    continue;
                }
                throw Error(written_at(grant.origin()) + ": cannot show " + quoted(grant.written))
                    .cause("the symbolic link " + quoted(link.path) + " lies in " + quoted(tree.source) +
                           ", which CMD sees: an earlier run may have planted it")
                    .fix("name the target itself, if it is what you mean: " + quoted(grant.fact->real));
            }
            context.notice(written_at(grant.origin()) + ": " + quoted(grant.written) +
                           " leads through the symbolic link " + quoted(link.path) + " to " + quoted(grant.fact->real));
        }
    }
}

} // namespace sandbox
