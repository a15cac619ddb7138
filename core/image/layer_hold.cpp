#include "core/image/layer_hold.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <cerrno>

#include "core/base/error.hpp"
#include "core/image/store_files.hpp"

namespace sandbox::image {

namespace {

std::string path_of(const std::string& name) {
    return "layers/" + name;
}

/// \return none where another holds it in a way that forbids it, or it is not there.
Fd lock_layer(const std::string& name, int operation) {
    Fd layer(::open(path_of(name).c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (layer ? ::flock(layer.get(), operation | LOCK_NB) == 0 : errno == ENOENT) {
        return layer;
    }
    if (layer && errno == EWOULDBLOCK) {
        return {};
    }
    throw Error("cannot lock the layer " + quoted(name)).kernel(errno);
}

} // namespace

Fd hold_layer(const std::string& name) {
    Fd layer = lock_layer(name, LOCK_SH);
    struct stat held {};
    struct stat there {};
    // Between the opening and the lock it may have been moved away.
    const bool is_it = layer && ::fstat(layer.get(), &held) == 0 && ::lstat(path_of(name).c_str(), &there) == 0 &&
                       held.st_dev == there.st_dev && held.st_ino == there.st_ino;
    return is_it ? std::move(layer) : Fd();
}

bool move_layer_away(const std::string& name, const std::string& to) {
    const Fd layer = lock_layer(name, LOCK_EX);
    if (!layer) {
        return false;
    }
    move(path_of(name), to);
    return true;
}

} // namespace sandbox::image
