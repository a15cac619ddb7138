#include "core/sealed_program.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <cerrno>

#include "core/base/error.hpp"
#include "core/base/fd.hpp"

extern char** environ;

namespace sandbox {

namespace {

constexpr const char* kOwnFile = "/proc/self/exe";
constexpr const char* kName = "sandboxctl";
constexpr int kSeals = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE;
constexpr unsigned kExecutable = 0x0010U; // MFD_EXEC, since Linux 6.3

Error cannot_copy() {
    return Error("cannot make a sealed copy of this program");
}

Fd open_own_file() {
    Fd own(::open(kOwnFile, O_RDONLY | O_CLOEXEC));
    if (!own) {
        const int error_number = errno;
        throw cannot_copy().kernel(error_number).cause("it is not seen at /proc/self/exe");
    }
    return own;
}

/// Only a memfd has seals, and nobody can take these away.
bool is_sealed(const Fd& file) {
    const int seals = ::fcntl(file.get(), F_GET_SEALS);
    return seals >= 0 && (seals & kSeals) == kSeals;
}

/// Whether it is root's, who is nobody in a sandbox of another user's, and nobody else may write to it.
bool is_roots_alone(const Fd& file) {
    struct stat status {};
    const bool is_roots = ::getuid() != 0 && ::fstat(file.get(), &status) == 0 && status.st_uid == 0 &&
                          (status.st_mode & (S_IWGRP | S_IWOTH)) == 0;
    const auto has_no_list = [&] {
        return ::fgetxattr(file.get(), "system.posix_acl_access", nullptr, 0) < 0 &&
               (errno == ENODATA || errno == EOPNOTSUPP);
    };
    return is_roots && has_no_list();
}

Fd make_memfd() {
    constexpr unsigned kFlags = MFD_CLOEXEC | MFD_ALLOW_SEALING;
    Fd memory(::memfd_create(kName, kFlags | kExecutable));
    if (!memory && errno == EINVAL) { // the kernel is older than the flag
        memory.reset(::memfd_create(kName, kFlags));
    }
    if (!memory) {
        const int error_number = errno;
        Error error = cannot_copy().kernel(error_number);
        if (error_number == EACCES) {
            error.cause("this machine allows no program in memory: vm.memfd_noexec is 2");
            error.fix("sudo sysctl vm.memfd_noexec=1");
        }
        throw error;
    }
    return memory;
}

void copy(const Fd& from, const Fd& to) {
    struct stat status {};
    bool is_copied = ::fstat(from.get(), &status) == 0;
    for (off_t done = 0; is_copied && done < status.st_size;) {
        const ssize_t count = ::sendfile(to.get(), from.get(), &done, static_cast<std::size_t>(status.st_size - done));
        if (count == 0) {
            errno = ENODATA; // it was cut meanwhile
        }
        is_copied = count > 0;
    }
    if (!is_copied || ::fcntl(to.get(), F_ADD_SEALS, kSeals) < 0) {
        const int error_number = errno;
        throw cannot_copy().kernel(error_number);
    }
}

} // namespace

void run_unwritable(char** arguments) {
    const Fd own = open_own_file();
    if (is_roots_alone(own)) {
        return;
    }
    if (is_sealed(own)) {
        ::prctl(PR_SET_NAME, kName, 0, 0, 0); // else the name is the number of the descriptor
        return;
    }
    const Fd memory = make_memfd();
    copy(own, memory);
    ::execveat(memory.get(), "", arguments, environ, AT_EMPTY_PATH);
    const int error_number = errno;
    throw Error("cannot execute the sealed copy of this program").kernel(error_number);
}

} // namespace sandbox
