#include "core/remove_tree.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstring>
#include <memory>

#include "core/base/fd.hpp"

namespace sandbox {

namespace {

/// The entries of a directory but "." and "..".
class Entries {
public:
    explicit Entries(Fd directory) : stream_(::fdopendir(directory.get()), ::closedir) {
        if (stream_) {
            static_cast<void>(directory.release()); // the stream's now
        }
    }
    const char* next() {
        for (const dirent* entry = stream_ ? ::readdir(stream_.get()) : nullptr; entry != nullptr;
             entry = ::readdir(stream_.get())) {
            if (std::strcmp(entry->d_name, ".") != 0 && std::strcmp(entry->d_name, "..") != 0) {
                return entry->d_name;
            }
        }
        return nullptr;
    }

private:
    std::unique_ptr<DIR, int (*)(DIR*)> stream_;
};

Fd open_directory(int parent, const char* name) {
    return Fd(::openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
}

class Removal {
public:
    explicit Removal(int top) : top_(top) {}

    /// Until a pass finds nothing, or nothing that it could remove.
    void run() {
        for (bool is_progress = true; is_progress;) {
            is_progress = false;
            Entries entries(open_directory(top_, "."));
            while (const char* name = entries.next()) {
                is_progress = remove(name) || is_progress;
            }
        }
    }

    [[nodiscard]] int error_number() const { return error_number_; }

private:
    bool remove(const char* name) {
        if (::unlinkat(top_, name, 0) == 0) {
            return true;
        }
        const Fd directory = open_directory(top_, name);
        if (!directory) {
            error_number_ = errno;
            return false;
        }
        empty(directory);
        if (::unlinkat(top_, name, AT_REMOVEDIR) == 0) {
            return true;
        }
        error_number_ = errno;
        return false;
    }

    /// Directories that hold something are moved up, so that no tree is too deep.
    void empty(const Fd& directory) {
        Entries entries(open_directory(directory.get(), "."));
        while (const char* name = entries.next()) {
            if (::unlinkat(directory.get(), name, 0) == 0 || ::unlinkat(directory.get(), name, AT_REMOVEDIR) == 0) {
                continue;
            }
            char above[24] = "moved-";
            std::to_chars(above + 6, std::end(above) - 1, moved_++);
            if (::renameat(directory.get(), name, top_, above) != 0) {
                error_number_ = errno;
            }
        }
    }

    int top_;
    unsigned long moved_ = 0;
    int error_number_ = 0;
};

} // namespace

int remove_tree(int parent, const char* name) {
    const Fd top = open_directory(parent, name);
    if (!top) {
        return -1;
    }
    Removal removal(top.get());
    removal.run();
    if (::unlinkat(parent, name, AT_REMOVEDIR) == 0) {
        return 0;
    }
    errno = removal.error_number() != 0 ? removal.error_number() : errno;
    return -1;
}

} // namespace sandbox
