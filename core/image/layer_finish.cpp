// The end of a layer: what can only be done when all of its entries are known, so that their order does not matter.
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <cerrno>
#include <ranges>

#include "core/base/error.hpp"
#include "core/image/layer_writer.hpp"

namespace sandbox::image {

namespace {

[[noreturn]] void refuse(const std::string& path, const char* what, int error_number) {
    Error error(std::string("cannot ") + what + " " + shown(path));
    error.kernel(error_number);
    if (error_number == EPERM) {
        error.cause("the image store lies on a file system that takes no whiteouts, such as an overlay (a container's)")
            .fix("set XDG_DATA_HOME to a directory on a disk, or on a volume of the container");
    }
    if (error_number == ENOTSUP) {
        error.cause("the image store lies on a file system without extended attributes")
            .fix("set XDG_DATA_HOME to a directory on ext4, xfs or btrfs");
    }
    throw error;
}

void set_opaque(const LayerTree& tree, const std::string& path) {
    const Fd directory(tree.open(path, O_RDONLY | O_DIRECTORY));
    if (!directory || ::fsetxattr(directory.get(), kOpaqueXattr, "y", 1, 0) < 0) {
        refuse(path, "make opaque", errno);
    }
}

/// Whether a file of this layer stands above `path`.
bool is_below_file(const LayerTree& tree, const Components& path) {
    std::string above;
    for (const std::string& component : path | std::views::take(path.size() - 1)) {
        above = join(above, component);
        const auto status = tree.find(above);
        if (!status) {
            return false;
        }
        if (!S_ISDIR(status->st_mode)) {
            return true;
        }
    }
    return false;
}

} // namespace

void LayerWriter::finish() {
    finish_opaque();
    finish_whiteouts();
    std::vector<std::string> implied;
    for (const auto& [path, directory] : tree_.directories()) {
        if (directory.is_implied) {
            implied.push_back(path);
        }
    }
    for (const std::string& path : implied) {
        finish_implied(path);
    }
    finish_times();
}

void LayerWriter::finish_opaque() {
    for (const std::string& path : tree_.opaque()) {
        const Components components = split(path);
        if (const auto status = tree_.find(path)) {
            if (S_ISDIR(status->st_mode)) {
                set_opaque(tree_, path);
            }
            continue;
        }
        const auto below = tree_.is_hidden(components) ? std::nullopt : tree_.lower().find(components);
        if (below && below->is_directory() && !is_below_file(tree_, components)) {
            tree_.imply(components, path);
            set_opaque(tree_, path);
        }
    }
}

void LayerWriter::finish_whiteouts() {
    for (const std::string& path : tree_.whiteouts()) {
        if (const auto status = tree_.find(path)) {
            // The layer has the name again; of a directory, the lower layers' content still goes.
            if (S_ISDIR(status->st_mode)) {
                set_opaque(tree_, path);
            }
            continue;
        }
        const Components components = split(path);
        const Components parents(components.begin(), components.end() - 1);
        // One whiteout more than needed would be seen: a directory of one layer alone shows all that is in it.
        if (tree_.is_hidden(parents) || tree_.opaque().contains(join(parents)) || is_below_file(tree_, components) ||
            !tree_.lower().find(components)) {
            continue;
        }
        tree_.imply(parents, path);
        const Place place = tree_.place(parents, components.back(), path);
        if (::mknodat(place.directory(), place.name.c_str(), S_IFCHR, ::makedev(0, 0)) < 0) {
            refuse(path, "make the whiteout", errno);
        }
    }
}

/// In an overlay the topmost layer's directory counts, so one that the tar does not describe must look like the one
/// below.
void LayerWriter::finish_implied(const std::string& path) {
    const Components components = split(path);
    const auto below = tree_.is_hidden(components) ? std::nullopt : tree_.lower().find(components);
    const bool is_root = path.empty();
    if (!is_root) {
        written_.depends_on_lower = true;
    }
    if (!below || !below->is_directory()) {
        return;
    }
    const Attributes attributes = attributes_of(below->file.get(), below->status);
    const Fd directory(tree_.open(path, O_RDONLY | O_DIRECTORY));
    if (!directory) {
        refuse(path, "open", errno);
    }
    attributes_.write(directory.get(), attributes, path, false);
    tree_.directories()[path].mtime = attributes.mtime;
}

/// The deepest first, since making an entry changes its directory's time.
void LayerWriter::finish_times() {
    for (const auto& [path, known] : tree_.directories() | std::views::reverse) {
        const Fd directory(tree_.open(path, O_RDONLY | O_DIRECTORY));
        const timespec times[2] = {known.mtime, known.mtime};
        if (!directory || ::futimens(directory.get(), times) < 0) {
            refuse(path, "set the times of", errno);
        }
    }
}

} // namespace sandbox::image
