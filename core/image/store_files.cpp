#include "core/image/store_files.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <memory>

#include "core/base/error.hpp"
#include "core/base/file.hpp"

namespace sandbox::image {

namespace {

[[noreturn]] void refuse(const char* what, const std::string& path, int error_number) {
    throw Error(std::string("cannot ") + what + " the image store's " + quoted(path)).kernel(error_number);
}

std::vector<std::string> names_of(int directory) {
    std::vector<std::string> names;
    const std::unique_ptr<DIR, int (*)(DIR*)> stream(directory < 0 ? nullptr : ::fdopendir(directory), ::closedir);
    while (const dirent* entry = stream ? ::readdir(stream.get()) : nullptr) {
        const std::string_view name = entry->d_name;
        if (name != "." && name != "..") {
            names.emplace_back(name);
        }
    }
    std::ranges::sort(names);
    return names;
}

int open_child(int directory, const std::string& name) {
    return ::openat(directory, name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

/// Empties a directory in `top`: what is full itself moves up into `top`, under a name that is free there.
void empty_one(int top, const std::string& name, std::size_t& moved) {
    const Fd directory(open_child(top, name));
    for (const std::string& child :
         directory ? names_of(open_child(directory.get(), ".")) : std::vector<std::string>()) {
        if (::unlinkat(directory.get(), child.c_str(), 0) == 0 ||
            ::unlinkat(directory.get(), child.c_str(), AT_REMOVEDIR) == 0) {
            continue;
        }
        constexpr int kTries = 1000;
        for (int i = 0; i < kTries; ++i) {
            if (::renameat(directory.get(), child.c_str(), top, ("." + std::to_string(moved++)).c_str()) == 0) {
                break;
            }
        }
    }
    ::unlinkat(top, name.c_str(), AT_REMOVEDIR);
}

} // namespace

void make_directory(const std::string& path) {
    if (::mkdir(path.c_str(), S_IRWXU) < 0 && errno != EEXIST) {
        refuse("make", path, errno);
    }
}

Fd open_directory(const std::string& path) {
    Fd directory(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (!directory) {
        refuse("open", path, errno);
    }
    return directory;
}

void write_file(const std::string& path, std::string_view text) {
    const Fd file(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, S_IRUSR | S_IWUSR));
    if (!file || !write_all(file.get(), text) || ::fsync(file.get()) < 0) {
        refuse("write", path, errno);
    }
}

void move(const std::string& from, const std::string& to) {
    if (::rename(from.c_str(), to.c_str()) < 0) {
        refuse("put in its place", to, errno);
    }
}

void sync_directory(const std::string& path) {
    const Fd directory = open_directory(path);
    if (::fsync(directory.get()) < 0) {
        refuse("write", path, errno);
    }
}

std::vector<std::string> names_in(const std::string& directory) {
    return names_of(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
}

bool exists(const std::string& path) {
    struct stat status {};
    return ::lstat(path.c_str(), &status) == 0;
}

void remove_tree(const std::string& path) {
    if (::unlink(path.c_str()) == 0 || ::rmdir(path.c_str()) == 0) {
        return;
    }
    const Fd top(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (!top) {
        return;
    }
    std::size_t moved = 0;
    std::size_t before = 0;
    do {
        before = moved;
        for (const std::string& name : names_of(open_child(top.get(), "."))) {
            if (::unlinkat(top.get(), name.c_str(), 0) < 0) {
                empty_one(top.get(), name, moved);
            }
        }
    } while (moved > before);
    ::rmdir(path.c_str());
}

} // namespace sandbox::image
