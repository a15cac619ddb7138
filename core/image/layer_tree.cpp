#include "core/image/layer_tree.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>

#include "core/base/error.hpp"
#include "core/base/sys.hpp"

namespace sandbox::image {

namespace {

constexpr std::uint64_t kResolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS;
constexpr mode_t kImpliedMode = 0755;
constexpr std::size_t kMostCached = 64;
constexpr int kMostLinks = 40; // as the kernel: path_resolution(7)

std::string read_link(int link) {
    std::string target(PATH_MAX, '\0');
    const ssize_t length = ::readlinkat(link, "", target.data(), target.size());
    target.resize(length < 0 ? 0 : static_cast<std::size_t>(length));
    return target;
}

} // namespace

/// What stands at one name on the way to an entry's parent.
struct LayerTree::Step {
    bool is_link = false;
    std::string target;
};

LayerTree::LayerTree(Fd root, Fd trash, const LowerView& lower)
    : root_(std::move(root)), trash_(std::move(trash)), lower_(lower) {
    directories_.emplace("", LayerDirectory{.is_implied = true});
}

int LayerTree::open(const std::string& path, int flags) const {
    return sys::openat2(root_.get(), path.empty() ? "." : path.c_str(), static_cast<std::uint64_t>(flags | O_CLOEXEC),
                        kResolve);
}

std::optional<struct stat> LayerTree::find(const std::string& path) const {
    const Fd file(open(path, O_PATH | O_NOFOLLOW));
    struct stat status {};
    if (!file || ::fstat(file.get(), &status) < 0) {
        return std::nullopt;
    }
    return status;
}

bool LayerTree::is_hidden(const Components& path) const {
    std::string at;
    for (const std::string& component : path) {
        if (opaque_.contains(at)) {
            return true;
        }
        at = join(at, component);
        if (whiteouts_.contains(at)) {
            return true;
        }
    }
    return false;
}

LayerTree::Step LayerTree::look(const Components& resolved, const std::string& name, const std::string& entry,
                                bool with_files) const {
    const std::string path = join(join(resolved), name);
    const Fd file(open(path, O_PATH | O_NOFOLLOW));
    struct stat status {};
    if (file && ::fstat(file.get(), &status) == 0) {
        if (S_ISLNK(status.st_mode)) {
            return {true, read_link(file.get())};
        }
        if (!S_ISDIR(status.st_mode) && !with_files) {
            refuse_entry(entry, "in the same layer " + shown(path) + ", which is above it, is no directory");
        }
        return {};
    }
    Components whole = resolved;
    whole.push_back(name);
    if (!is_hidden(whole)) {
        const std::optional<LowerEntry> below = lower_.find(whole);
        if (below && below->is_link()) {
            return {true, read_link(below->file.get())};
        }
    }
    return {};
}

Components LayerTree::resolve(const Components& parents, const std::string& entry, bool with_files) const {
    Components resolved;
    Components ahead(parents.rbegin(), parents.rend());
    int links = 0;
    while (!ahead.empty()) {
        const std::string name = std::move(ahead.back());
        ahead.pop_back();
        if (name == "..") { // of a link's text: above the root is the root
            if (!resolved.empty()) {
                resolved.pop_back();
            }
            continue;
        }
        const Step step = look(resolved, name, entry, with_files);
        if (!step.is_link) {
            resolved.push_back(name);
            continue;
        }
        if (++links > kMostLinks) {
            refuse_entry(entry, ELOOP);
        }
        if (step.target.starts_with('/')) {
            resolved.clear();
        }
        const Components target = split(step.target);
        ahead.insert(ahead.end(), target.rbegin(), target.rend());
    }
    return resolved;
}

void LayerTree::imply(const Components& resolved, const std::string& entry) {
    std::string path;
    Fd directory(open("", O_PATH | O_DIRECTORY));
    for (const std::string& name : resolved) {
        path = join(path, name);
        if (::mkdirat(directory.get(), name.c_str(), kImpliedMode) == 0) {
            directories_.insert_or_assign(path, LayerDirectory{.is_implied = true});
        } else if (errno != EEXIST) {
            refuse_entry(entry, errno);
        }
        directory.reset(::openat(directory.get(), name.c_str(), O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
        if (!directory) {
            refuse_entry(entry, errno);
        }
    }
}

std::shared_ptr<const Fd> LayerTree::cached(const std::string& path) {
    if (const auto found = cache_.find(path); found != cache_.end()) {
        return found->second;
    }
    auto directory = std::make_shared<const Fd>(open(path, O_PATH | O_DIRECTORY));
    if (!*directory) {
        return nullptr;
    }
    if (cache_.size() >= kMostCached) {
        cache_.clear();
    }
    cache_.emplace(path, directory);
    return directory;
}

Place LayerTree::place(const Components& parents, const std::string& name, const std::string& entry) {
    // Nearly always each parent is a directory of this layer.
    Place place{nullptr, join(parents), name};
    place.opened = cached(place.parent);
    if (!place.opened) {
        const Components resolved = resolve(parents, entry);
        imply(resolved, entry);
        place.parent = join(resolved);
        place.opened = cached(place.parent);
    }
    if (!place.opened) {
        refuse_entry(entry, errno);
    }
    return place;
}

void LayerTree::forget(const std::string& path) {
    const auto forget_in = [&](auto& map) {
        map.erase(path);
        map.erase(map.lower_bound(path + "/"), map.lower_bound(path + "0")); // '0' follows '/'
    };
    forget_in(cache_);
    forget_in(directories_);
}

void LayerTree::remove(const Place& place) {
    const std::string path = place.path();
    if (::unlinkat(place.directory(), place.name.c_str(), 0) == 0 || errno == ENOENT) {
        return;
    }
    if (errno != EISDIR ||
        ::renameat(place.directory(), place.name.c_str(), trash_.get(), std::to_string(trashed_++).c_str()) < 0) {
        refuse_entry(path, errno);
    }
    forget(path);
}

Fd LayerTree::make_directory(const Place& place, timespec mtime, const std::string& entry) {
    constexpr int kFlags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
    if (place.name.empty()) {
        directories_[""] = {false, mtime};
        return Fd(open("", O_RDONLY | O_DIRECTORY));
    }
    if (::mkdirat(place.directory(), place.name.c_str(), kImpliedMode) < 0 && errno != EEXIST) {
        refuse_entry(entry, errno);
    }
    Fd directory(::openat(place.directory(), place.name.c_str(), kFlags));
    if (!directory && (errno == ENOTDIR || errno == ELOOP)) {
        remove(place);
        make_opaque(place.path()); // what the earlier entry replaced does not come back
        if (::mkdirat(place.directory(), place.name.c_str(), kImpliedMode) < 0) {
            refuse_entry(entry, errno);
        }
        directory.reset(::openat(place.directory(), place.name.c_str(), kFlags));
    }
    if (!directory) {
        refuse_entry(entry, errno);
    }
    directories_.insert_or_assign(place.path(), LayerDirectory{false, mtime});
    return directory;
}

} // namespace sandbox::image
