#include "core/own_directories.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "core/base/error.hpp"
#include "core/base/fd.hpp"
#include "core/base/file.hpp"

namespace sandbox {

namespace {

void expect_own_directory(const std::string& path) {
    const Fd directory(::open(path.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
    struct stat status {};
    if (!directory || ::fstat(directory.get(), &status) < 0) {
        throw Error("cannot make our own directory " + quoted(path))
            .kernel(errno)
            .cause("it must be there before a run that grants a directory above it writable, or CMD could plant it")
            .fix("make it yourself, or grant a narrower directory");
    }
    if (status.st_uid != ::geteuid()) {
        throw Error("our own directory " + quoted(path) + " belongs to another user")
            .fix("chown it to yourself, or set XDG_CONFIG_HOME and XDG_DATA_HOME to directories of yours");
    }
    if ((status.st_mode & (S_IWGRP | S_IWOTH)) != 0) {
        throw Error("our own directory " + quoted(path) + " can be written by others")
            .cause("they could put a profile there that loosens the next sandbox")
            .fix("chmod go-w " + shell_quoted(path));
    }
}

} // namespace

void make_own_directories(const std::vector<std::string>& paths) {
    for (const std::string& path : paths) {
        if (const int error_number = make_directories(path); error_number != 0) {
            throw Error("cannot make our own directory " + quoted(path)).kernel(error_number);
        }
        expect_own_directory(path);
    }
}

} // namespace sandbox
