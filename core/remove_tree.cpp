#include "core/remove_tree.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstdio>
#include <cstring>
#include <memory>

#include "core/base/fd.hpp"

namespace sandbox {

namespace {

/// The entries of a directory but "." and "..".
class Entries {
public:
    explicit Entries(Fd directory) : stream_(directory ? ::fdopendir(directory.get()) : nullptr, ::closedir) {
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

/// Who owns a directory may have locked himself out: the kernel's overlay makes one with mode 000.
Fd open_directory(int parent, const char* name) {
    constexpr int kFlags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
    Fd directory(::openat(parent, name, kFlags));
    if (!directory && errno == EACCES) {
        const Fd closed(::openat(parent, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
        char itself[32] = "/proc/self/fd/";
        std::to_chars(itself + std::strlen(itself), std::end(itself) - 1, closed.get());
        if (closed && ::chmod(itself, S_IRWXU) == 0) {
            directory.reset(::openat(parent, name, kFlags));
        } else {
            errno = EACCES;
        }
    }
    return directory;
}

class Removal {
public:
    explicit Removal(int top) : top_(top) {}

    /// Until nothing is left in `top`, or nothing that could be removed.
    void run() {
        do {
            moved_before_ = moved_;
            empty(top_, 0);
        } while (moved_ != moved_before_);
    }

    [[nodiscard]] int error_number() const { return error_number_; }

private:
    static constexpr int kDeepest = 16; ///< two descriptors a level

    void empty(int directory, int depth) {
        Entries entries(open_directory(directory, "."));
        while (const char* name = entries.next()) {
            if (::unlinkat(directory, name, 0) == 0) {
                continue;
            }
            if (errno != EISDIR && errno != EPERM) { // POSIX has EPERM for a directory
                error_number_ = errno;
            } else if (depth == kDeepest) {
                move_up(directory, name);
            } else {
                remove_directory(directory, name, depth);
            }
        }
    }

    void remove_directory(int parent, const char* name, int depth) {
        if (::unlinkat(parent, name, AT_REMOVEDIR) == 0) {
            return;
        }
        const Fd directory = open_directory(parent, name);
        if (!directory) {
            error_number_ = errno;
            return;
        }
        empty(directory.get(), depth + 1);
        if (::unlinkat(parent, name, AT_REMOVEDIR) != 0) {
            error_number_ = errno;
        }
    }

    /// What lies deep comes to the top, where another pass finds it.
    void move_up(int directory, const char* name) {
        if (::unlinkat(directory, name, AT_REMOVEDIR) == 0) {
            return;
        }
        // An earlier try, by another process, may have left some.
        char above[64];
        std::snprintf(above, sizeof above, "moved-%d-%lu", static_cast<int>(::getpid()), moved_);
        if (::renameat(directory, name, top_, above) == 0) {
            ++moved_;
        } else {
            error_number_ = errno;
        }
    }

    int top_;
    unsigned long moved_ = 0;
    unsigned long moved_before_ = 0;
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
