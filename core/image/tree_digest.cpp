#include "core/image/tree_digest.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <memory>
#include <vector>

#include <fmt/format.h>

#include "core/base/directory.hpp"
#include "core/base/error.hpp"
#include "core/base/fd.hpp"
#include "core/image/layer_path.hpp"
#include "core/image/stream.hpp"
#include "core/image/worker.hpp"
#include "core/image/xattrs.hpp"

namespace sandbox::image {

namespace {

std::vector<std::string> sorted_names(int directory) {
    std::optional<std::vector<std::string>> names = list_directory(directory);
    if (!names) {
        throw Error("cannot list a directory of a layer").kernel(errno);
    }
    return std::move(*names);
}

Sha256Value content_of(int file, const std::string& path) {
    Sha256 sha256;
    FileStream stream(file, path);
    for (Bytes block = stream.next(); !block.empty(); block = stream.next()) {
        sha256.add(block);
    }
    return sha256.finish();
}

class Walk {
public:
    explicit Walk(const std::unordered_map<ino_t, Sha256Value>* known) : known_(known) {}

    void directory(int descriptor, const std::string& path) {
        struct stat status {};
        if (::fstat(descriptor, &status) < 0) {
            fail(path);
        }
        header(path, status);
        std::vector<Xattr> xattrs;
        static_cast<void>(list_xattrs(descriptor, xattrs));
        char opaque = 0;
        if (::fgetxattr(descriptor, kOpaqueXattr, &opaque, 1) == 1) {
            xattrs.emplace_back(kOpaqueXattr, std::string(1, opaque));
        }
        add_xattrs(xattrs);
        expect_not_interrupted();
        for (const std::string& name : sorted_names(descriptor)) {
            entry(descriptor, name, join(path, name));
        }
    }

    [[nodiscard]] std::string finish() { return to_digest(sha256_.finish()); }

private:
    [[noreturn]] static void fail(const std::string& path) {
        throw Error("cannot read the layer's " + shown(path)).kernel(errno);
    }

    void header(const std::string& path, const struct stat& status) {
        const bool has_size = S_ISREG(status.st_mode);
        sha256_.add(fmt::format("{}\n{:o} {} {} {} {} {}.{}\n", path.size(), status.st_mode, status.st_uid,
                                status.st_gid, has_size ? status.st_size : 0, status.st_rdev, status.st_mtim.tv_sec,
                                status.st_mtim.tv_nsec));
        sha256_.add(path);
    }

    void add_xattrs(const std::vector<Xattr>& xattrs) {
        for (const auto& [name, value] : xattrs) {
            sha256_.add(fmt::format("{} {}\n", name.size(), value.size()));
            sha256_.add(name);
            sha256_.add(value);
        }
    }

    void entry(int parent, const std::string& name, const std::string& path) {
        struct stat status {};
        if (::fstatat(parent, name.c_str(), &status, AT_SYMLINK_NOFOLLOW) < 0) {
            fail(path);
        }
        if (S_ISDIR(status.st_mode)) {
            const Fd child(::openat(parent, name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
            return child ? directory(child.get(), path) : fail(path);
        }
        header(path, status);
        if (S_ISREG(status.st_mode)) {
            return file(parent, name, path, status);
        }
        if (S_ISLNK(status.st_mode)) {
            std::string target(PATH_MAX, '\0');
            const ssize_t length = ::readlinkat(parent, name.c_str(), target.data(), target.size());
            sha256_.add(std::string_view(target).substr(0, static_cast<std::size_t>(std::max<ssize_t>(length, 0))));
        }
        std::vector<Xattr> xattrs;
        static_cast<void>(list_link_xattrs(parent, name, xattrs));
        add_xattrs(xattrs);
    }

    void file(int parent, const std::string& name, const std::string& path, const struct stat& status) {
        if (status.st_nlink > 1) {
            const auto [first, is_new] = links_.emplace(status.st_ino, path);
            if (!is_new) {
                sha256_.add(first->second);
                return;
            }
        }
        const Fd opened(::openat(parent, name.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC));
        if (!opened) {
            fail(path);
        }
        std::vector<Xattr> xattrs;
        static_cast<void>(list_xattrs(opened.get(), xattrs));
        add_xattrs(xattrs);
        const auto found = known_ != nullptr ? known_->find(status.st_ino) : decltype(known_->find(0)){};
        sha256_.add(known_ != nullptr && found != known_->end() ? found->second : content_of(opened.get(), path));
    }

    const std::unordered_map<ino_t, Sha256Value>* known_;
    std::unordered_map<ino_t, std::string> links_; ///< of files with several names: the first
    Sha256 sha256_;
};

} // namespace

std::string tree_digest(int root, const std::unordered_map<ino_t, Sha256Value>* known) {
    Walk walk(known);
    walk.directory(root, "");
    return walk.finish();
}

} // namespace sandbox::image
