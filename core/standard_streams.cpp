#include "core/standard_streams.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <string>

#include "core/base/error.hpp"
#include "core/base/fd.hpp"

namespace sandbox {

namespace {

constexpr std::array<const char*, 3> kNames = {"standard input", "standard output", "standard error"};

void refuse_a_way_out(int descriptor) {
    struct stat status {};
    const int flags = ::fcntl(descriptor, F_GETFL);
    if (::fstat(descriptor, &status) < 0 || flags < 0) {
        throw Error(std::string("cannot examine ") + kNames[static_cast<std::size_t>(descriptor)]).kernel(errno);
    }
    if (S_ISDIR(status.st_mode) || (flags & O_PATH) != 0) {
        throw Error(std::string("cannot give CMD a directory as its ") + kNames[static_cast<std::size_t>(descriptor)])
            .cause("through an open directory CMD would reach every file of the host")
            .fix("redirect it from a file or /dev/null; to show a directory use --ro DIR");
    }
}

} // namespace

std::array<bool, 3> prepare_standard_streams() {
    std::array<bool, 3> was_open{};
    for (int descriptor = STDIN_FILENO; descriptor <= STDERR_FILENO; ++descriptor) {
        bool& open = was_open[static_cast<std::size_t>(descriptor)];
        open = ::fcntl(descriptor, F_GETFD) >= 0;
        if (!open && ::open("/dev/null", O_RDWR) != descriptor) {
            throw Error("cannot open '/dev/null' in place of a closed standard descriptor").kernel(errno);
        }
    }
    for (int descriptor = STDIN_FILENO; descriptor <= STDERR_FILENO; ++descriptor) {
        refuse_a_way_out(descriptor);
    }
    return was_open;
}

void keep_background_from_reading() {
    if (::isatty(STDIN_FILENO) != 1 || ::tcgetpgrp(STDIN_FILENO) == ::getpgrp()) {
        return;
    }
    const Fd null(::open("/dev/null", O_RDONLY | O_CLOEXEC));
    if (!null || ::dup2(null.get(), STDIN_FILENO) < 0) {
        throw Error("cannot open '/dev/null' as the input of a command in the background").kernel(errno);
    }
}

void let_go_of_standard_streams(int last) {
    const Fd null(::open("/dev/null", O_RDWR | O_CLOEXEC));
    for (int descriptor = STDIN_FILENO; null && descriptor <= last; ++descriptor) {
        if (::isatty(descriptor) == 0) {
            ::dup2(null.get(), descriptor);
        }
    }
}

} // namespace sandbox
