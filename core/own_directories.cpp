#include "core/own_directories.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "core/base/error.hpp"
#include "core/base/fd.hpp"

namespace sandbox {

namespace {

void make_with_parents(const std::string& path) {
    for (std::size_t slash = path.find('/', 1);; slash = path.find('/', slash + 1)) {
        const std::string part = path.substr(0, slash);
        // A parent that exists may be on a read-only file system or in a closed folder; the end is looked at
        // afterwards.
        if (::mkdir(part.c_str(), 0700) < 0 && errno != EEXIST && errno != EACCES && errno != EROFS) {
            throw Error("cannot make our own folder " + quoted(part)).kernel(errno);
        }
        if (slash == std::string::npos) {
            return;
        }
    }
}

void expect_own_directory(const std::string& path) {
    const Fd directory(::open(path.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
    struct stat status {};
    if (!directory || ::fstat(directory.get(), &status) < 0) {
        throw Error("cannot make our own folder " + quoted(path))
            .kernel(errno)
            .cause("it must be there before a run that grants a folder above it writable, or CMD could plant it")
            .fix("make it yourself, or grant a narrower folder");
    }
    if (status.st_uid != ::geteuid()) {
        throw Error("our own folder " + quoted(path) + " belongs to another user")
            .fix("chown it to yourself, or set XDG_CONFIG_HOME and XDG_DATA_HOME to folders of yours");
    }
    if ((status.st_mode & (S_IWGRP | S_IWOTH)) != 0) {
        throw Error("our own folder " + quoted(path) + " can be written by others")
            .cause("they could put a profile there that loosens the next sandbox")
            .fix("chmod go-w " + shell_quoted(path));
    }
}

} // namespace

void make_own_directories(const std::vector<std::string>& paths) {
    for (const std::string& path : paths) {
        make_with_parents(path);
        expect_own_directory(path);
    }
}

} // namespace sandbox
