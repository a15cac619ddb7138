#include "core/tree_path.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <cstring>

#include "core/base/sys.hpp"

namespace sandbox::tree_path {

namespace {

constexpr int kMostLinks = 40; // path_resolution(7)

std::uint64_t resolve_flags(Links links) {
    return RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_XDEV |
           (links == Links::refused ? RESOLVE_NO_SYMLINKS : 0);
}

/// A path that is walked name by name: all of it in one buffer, cut behind the name in question.
class Walk {
public:
    Walk(int root, Want want, Links links) : root_(root), want_(want), links_(links) {}

    Fd run(const char* path) {
        if (!set(path)) {
            return Fd();
        }
        for (int links = 0; links <= kMostLinks; ++links) {
            Fd found;
            if (!walk(found)) {
                return found;
            }
        }
        errno = ELOOP;
        return Fd();
    }

private:
    bool set(const char* path) {
        const std::size_t length = std::strlen(path);
        if (length >= sizeof path_) {
            errno = ENAMETOOLONG;
            return false;
        }
        std::memcpy(path_, path, length + 1);
        return true;
    }

    [[nodiscard]] Fd open_prefix() const {
        return Fd(sys::openat2(root_, path_, O_PATH | O_CLOEXEC, resolve_flags(links_)));
    }

    /// \return true where a dangling link has been put in the place of its name: the walk starts again. `found` is the
    /// end of the path, or holds nothing and errno says why.
    bool walk(Fd& found) {
        Fd parent(sys::openat2(root_, ".", O_PATH | O_DIRECTORY | O_CLOEXEC, resolve_flags(links_)));
        for (char* name = path_; parent && *(name += std::strspn(name, "/")) != '\0';) {
            char* const end = name + std::strcspn(name, "/");
            char* const rest = end + std::strspn(end, "/");
            const char behind = *end;
            *end = '\0';
            Fd next = open_prefix();
            if (!next && errno == ENOENT) {
                char target[PATH_MAX];
                const ssize_t length = ::readlinkat(parent.get(), name, target, sizeof target);
                if (length >= 0 && links_ == Links::followed) {
                    *end = behind;
                    return replace(name, rest, target, static_cast<std::size_t>(length));
                }
                next = make(parent, name, *rest == '\0' ? want_ : Want::directory) ? open_prefix() : Fd();
            }
            *end = behind;
            parent = std::move(next);
            name = end;
        }
        found = std::move(parent);
        return false;
    }

    static bool make(const Fd& parent, const char* name, Want want) {
        if (want == Want::directory) {
            return ::mkdirat(parent.get(), name, 0755) == 0;
        }
        return static_cast<bool>(
            Fd(::openat(parent.get(), name, O_CREAT | O_EXCL | O_RDONLY | O_NOFOLLOW | O_CLOEXEC, 0644)));
    }

    /// The link's text takes the place of `name`; an absolute one starts at the root.
    bool replace(const char* name, const char* rest, const char* target, std::size_t length) {
        char joined[PATH_MAX];
        const std::size_t before = length > 0 && target[0] == '/' ? 0 : static_cast<std::size_t>(name - path_);
        const std::size_t behind = std::strlen(rest);
        if (before + length + 1 + behind >= sizeof joined) {
            errno = ENAMETOOLONG;
            return false;
        }
        std::memcpy(joined, path_, before);
        std::memcpy(joined + before, target, length);
        joined[before + length] = '/';
        std::memcpy(joined + before + length + 1, rest, behind + 1);
        return set(joined);
    }

    int root_;
    Want want_;
    Links links_;
    char path_[PATH_MAX] = {};
};

} // namespace

Fd open_or_make(int root, const char* path, Want want, Links links) {
    return Walk(root, want, links).run(path);
}

Fd open_existing(int root, const char* path, Links links) {
    return Fd(sys::openat2(root, path, O_PATH | O_CLOEXEC, resolve_flags(links)));
}

Fd open_text(int root, const char* path) {
    Fd file(sys::openat2(root, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, resolve_flags(Links::followed)));
    struct stat status {};
    if (file && (::fstat(file.get(), &status) < 0 || !S_ISREG(status.st_mode))) {
        errno = EINVAL;
        return Fd();
    }
    return file;
}

} // namespace sandbox::tree_path
