#include "core/workdir.hpp"

#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <climits>

namespace sandbox {

int enter_workdir(const char* path) {
    if (::chdir(path) < 0) {
        return -1;
    }
    // The system call itself: for a directory outside of the root it answers "(unreachable)/...", which libc would
    // hide.
    char where[PATH_MAX];
    if (::syscall(SYS_getcwd, where, sizeof where) < 0) {
        return -1;
    }
    if (where[0] != '/') {
        errno = EXDEV;
        return -1;
    }
    return 0;
}

} // namespace sandbox
