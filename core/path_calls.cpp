#include "core/path_calls.hpp"

#include <fcntl.h>
#include <sys/syscall.h>

#include <algorithm>
#include <array>
#include <iterator>

namespace sandbox::path_calls {

namespace {

constexpr int kNone = -1;
constexpr long kFchmodat2 = 452; ///< everywhere; the headers of older libcs have no SYS_fchmodat2

/// Where the flags of a call stand that say whether a link at the end is followed, or what it opens.
enum class Flags : std::uint8_t {
    none,
    no_follow, ///< AT_SYMLINK_NOFOLLOW: not followed
    follow,    ///< AT_SYMLINK_FOLLOW: followed, else not
    open,      ///< O_*
    open_how,  ///< the argument is the address of an open_how
    never,     ///< no argument: never followed
    socket,    ///< the argument is the length of a socket's address: unix(7)
};

struct Shape {
    long number = 0;
    int directory = kNone; ///< the argument; kNone: AT_FDCWD
    int path = 0;          ///< the argument
    PathUse use = PathUse::look;
    Flags flags = Flags::none;
    int flags_argument = kNone;
};

using enum PathUse;

// clang-format off
constexpr Shape kShapes[] = {
    {SYS_openat, 0, 1, read, Flags::open, 2},
    {SYS_openat2, 0, 1, read, Flags::open_how, 2},
    {SYS_newfstatat, 0, 1, look, Flags::no_follow, 3},
    {SYS_statx, 0, 1, look, Flags::no_follow, 2},
    {SYS_faccessat, 0, 1, look},
    {SYS_faccessat2, 0, 1, look, Flags::no_follow, 3},
    {SYS_readlinkat, 0, 1, look, Flags::never},
    {SYS_chdir, kNone, 0, look},
    {SYS_statfs, kNone, 0, look},
    {SYS_inotify_add_watch, kNone, 1, look},
    {SYS_connect, kNone, 1, look, Flags::socket, 2}, {SYS_bind, kNone, 1, make, Flags::socket, 2},
    {SYS_getxattr, kNone, 0, look}, {SYS_lgetxattr, kNone, 0, look, Flags::never},
    {SYS_listxattr, kNone, 0, look}, {SYS_llistxattr, kNone, 0, look, Flags::never},
    {SYS_execve, kNone, 0, execute},
    {SYS_execveat, 0, 1, execute, Flags::no_follow, 4},
    {SYS_mkdirat, 0, 1, make, Flags::never},
    {SYS_mknodat, 0, 1, make, Flags::never},
    {SYS_symlinkat, 1, 2, make, Flags::never},
    {SYS_linkat, 0, 1, look, Flags::follow, 4}, {SYS_linkat, 2, 3, make, Flags::never},
    {SYS_unlinkat, 0, 1, take_away, Flags::never},
    {SYS_renameat2, 0, 1, take_away, Flags::never}, {SYS_renameat2, 2, 3, put, Flags::never},
    {SYS_fchmodat, 0, 1, write}, {kFchmodat2, 0, 1, write, Flags::no_follow, 3},
    {SYS_fchownat, 0, 1, write, Flags::no_follow, 4},
    {SYS_utimensat, 0, 1, write, Flags::no_follow, 3},
    {SYS_truncate, kNone, 0, write},
    {SYS_setxattr, kNone, 0, write}, {SYS_lsetxattr, kNone, 0, write, Flags::never},
    {SYS_removexattr, kNone, 0, write}, {SYS_lremovexattr, kNone, 0, write, Flags::never},
#if defined(__x86_64__)
    {SYS_open, kNone, 0, read, Flags::open, 1},
    {SYS_creat, kNone, 0, open_new},
    {SYS_stat, kNone, 0, look}, {SYS_lstat, kNone, 0, look, Flags::never},
    {SYS_access, kNone, 0, look},
    {SYS_readlink, kNone, 0, look, Flags::never},
    {SYS_mkdir, kNone, 0, make, Flags::never}, {SYS_mknod, kNone, 0, make, Flags::never},
    {SYS_symlink, kNone, 1, make, Flags::never},
    {SYS_link, kNone, 0, look, Flags::never}, {SYS_link, kNone, 1, make, Flags::never},
    {SYS_unlink, kNone, 0, take_away, Flags::never}, {SYS_rmdir, kNone, 0, take_away, Flags::never},
    {SYS_rename, kNone, 0, take_away, Flags::never}, {SYS_rename, kNone, 1, put, Flags::never},
    {SYS_renameat, 0, 1, take_away, Flags::never}, {SYS_renameat, 2, 3, put, Flags::never},
    {SYS_chmod, kNone, 0, write}, {SYS_chown, kNone, 0, write}, {SYS_lchown, kNone, 0, write, Flags::never},
    {SYS_utime, kNone, 0, write}, {SYS_utimes, kNone, 0, write}, {SYS_futimesat, 0, 1, write},
#endif
};
// clang-format on

constexpr auto kNumbers = [] {
    std::array<std::uint32_t, std::size(kShapes)> numbers{};
    std::ranges::transform(kShapes, numbers.begin(),
                           [](const Shape& shape) { return static_cast<std::uint32_t>(shape.number); });
    std::ranges::sort(numbers);
    return numbers;
}();

std::uint64_t argument(const seccomp_data& call, int index) {
    return call.args[index];
}

NamedPath named(const Shape& shape, const seccomp_data& call) {
    NamedPath path;
    path.directory = shape.directory == kNone ? AT_FDCWD : static_cast<int>(argument(call, shape.directory));
    path.address = argument(call, shape.path);
    path.use = shape.use;
    switch (shape.flags) {
    case Flags::none:
        break;
    case Flags::no_follow:
        path.follows_last_link = (argument(call, shape.flags_argument) & AT_SYMLINK_NOFOLLOW) == 0;
        break;
    case Flags::follow:
        path.follows_last_link = (argument(call, shape.flags_argument) & AT_SYMLINK_FOLLOW) != 0;
        break;
    case Flags::open:
        return opened(path, argument(call, shape.flags_argument));
    case Flags::open_how:
        path.how = argument(call, shape.flags_argument);
        break;
    case Flags::never:
        path.follows_last_link = false;
        break;
    case Flags::socket:
        path.is_socket = true;
        path.length = static_cast<std::uint32_t>(argument(call, shape.flags_argument));
        path.follows_last_link = shape.use == look;
        break;
    }
    return path;
}

} // namespace

std::span<const std::uint32_t> numbers() {
    return kNumbers;
}

std::vector<NamedPath> names_of(const seccomp_data& call) {
    std::vector<NamedPath> names;
    for (const Shape& shape : kShapes) {
        if (shape.number == call.nr) {
            names.push_back(named(shape, call));
        }
    }
    return names;
}

NamedPath opened(NamedPath named, std::uint64_t flags) {
    named.follows_last_link = (flags & O_NOFOLLOW) == 0;
    if ((flags & O_PATH) != 0) {
        named.use = PathUse::look;
    } else if ((flags & O_CREAT) != 0) {
        named.use = (flags & O_EXCL) != 0 ? PathUse::make : PathUse::open_new;
    } else if ((flags & O_ACCMODE) != O_RDONLY) {
        named.use = PathUse::write;
    } else {
        named.use = (flags & O_DIRECTORY) != 0 ? PathUse::list : PathUse::read;
    }
    return named;
}

} // namespace sandbox::path_calls
