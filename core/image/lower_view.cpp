#include "core/image/lower_view.hpp"

#include <fcntl.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <cerrno>

#include "core/base/error.hpp"
#include "core/image/xattrs.hpp"

namespace sandbox::image {

namespace {

constexpr int kDirectory = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;

bool is_opaque(int directory) {
    char value = 0;
    return ::fgetxattr(directory, kOpaqueXattr, &value, 1) == 1 && value == 'y';
}

/// What one component shows in the directories of several layers, the topmost first.
struct Merged {
    std::optional<LowerEntry> entry;
    std::vector<Fd> directories; ///< those of them that are merged, where it is a directory
};

Merged look(std::span<const Fd> directories, const std::string& name) {
    Merged merged;
    for (const Fd& directory : directories) {
        LowerEntry entry;
        if (::fstatat(directory.get(), name.c_str(), &entry.status, AT_SYMLINK_NOFOLLOW) < 0) {
            continue;
        }
        const bool readable = S_ISREG(entry.status.st_mode) || entry.is_directory();
        entry.file.reset(
            ::openat(directory.get(), name.c_str(), (readable ? O_RDONLY : O_PATH) | O_NOFOLLOW | O_CLOEXEC));
        if (!entry.file) {
            throw Error("cannot read the lower layer's " + quoted(name)).kernel(errno);
        }
        if (!entry.is_directory()) {
            // It ends the merging; a whiteout, and a file below a directory, are not seen.
            if (!merged.entry && !is_whiteout(entry.status)) {
                merged.entry = std::move(entry);
            }
            return merged;
        }
        Fd opened(::openat(directory.get(), name.c_str(), kDirectory));
        if (!opened) {
            throw Error("cannot read the lower layer's " + quoted(name)).kernel(errno);
        }
        if (!merged.entry) {
            merged.entry = std::move(entry);
        }
        merged.directories.push_back(std::move(opened));
        if (is_opaque(merged.directories.back().get())) {
            return merged;
        }
    }
    return merged;
}

} // namespace

bool is_whiteout(const struct stat& status) {
    return S_ISCHR(status.st_mode) && status.st_rdev == ::makedev(0, 0);
}

LowerView::LowerView(std::span<const std::string> roots) {
    for (auto root = roots.rbegin(); root != roots.rend(); ++root) {
        Fd opened(::open(root->c_str(), kDirectory));
        if (!opened) {
            throw Error("cannot open the layer " + quoted(*root)).kernel(errno);
        }
        roots_.push_back(std::move(opened));
    }
}

std::optional<LowerEntry> LowerView::find(const Components& path) const {
    if (roots_.empty()) {
        return std::nullopt;
    }
    if (path.empty()) {
        LowerEntry root;
        root.file.reset(::openat(roots_.front().get(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
        if (!root.file || ::fstat(root.file.get(), &root.status) < 0) {
            return std::nullopt;
        }
        return root;
    }
    Merged merged = look(roots_, path.front());
    for (std::size_t i = 1; i < path.size(); ++i) {
        if (merged.directories.empty()) {
            return std::nullopt;
        }
        const std::vector<Fd> directories = std::move(merged.directories);
        merged = look(directories, path[i]);
    }
    return std::move(merged.entry);
}

} // namespace sandbox::image
