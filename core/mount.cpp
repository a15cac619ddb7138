#include "core/mount.hpp"

#include <linux/mount.h>
#include <sys/statvfs.h>

#include "core/base/sys.hpp"

namespace sandbox::mount {

namespace {

Fd clone_at(int directory, const char* name, unsigned flags) {
    return Fd(sys::result_of(::syscall(SYS_open_tree, directory, name, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | flags)));
}

} // namespace

Fd open_source(const char* path) {
    return Fd(sys::openat2(AT_FDCWD, path, O_PATH | O_NOFOLLOW | O_CLOEXEC, RESOLVE_NO_SYMLINKS));
}

Fd open_below(int root, const char* path) {
    return Fd(sys::openat2(root, path, O_PATH | O_NOFOLLOW | O_CLOEXEC,
                           RESOLVE_IN_ROOT | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS));
}

Fd clone_tree(int source) {
    return clone_at(source, "", AT_EMPTY_PATH | AT_RECURSIVE);
}

Fd clone_single(int directory, const char* name) {
    return clone_at(directory, name, AT_SYMLINK_NOFOLLOW);
}

int add_attributes(int tree, std::uint64_t attributes, bool recursive) {
    mount_attr wanted{};
    wanted.attr_set = attributes;
    wanted.propagation = MS_PRIVATE;
    const unsigned flags = AT_EMPTY_PATH | (recursive ? AT_RECURSIVE : 0U);
    return sys::result_of(::syscall(SYS_mount_setattr, tree, "", flags, &wanted, sizeof wanted));
}

int attach(int tree, int target) {
    return sys::result_of(
        ::syscall(SYS_move_mount, tree, "", target, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH));
}

Fd make_file_system(const char* type, std::span<const Parameter> parameters, std::uint64_t attributes) {
    const Fd context(sys::result_of(::syscall(SYS_fsopen, type, FSOPEN_CLOEXEC)));
    if (!context) {
        return Fd();
    }
    for (const Parameter& parameter : parameters) {
        const unsigned command = parameter.value != nullptr ? FSCONFIG_SET_STRING : FSCONFIG_SET_FLAG;
        if (::syscall(SYS_fsconfig, context.get(), command, parameter.key, parameter.value, 0) < 0) {
            return Fd();
        }
    }
    if (::syscall(SYS_fsconfig, context.get(), FSCONFIG_CMD_CREATE, nullptr, nullptr, 0) < 0) {
        return Fd();
    }
    return Fd(sys::result_of(::syscall(SYS_fsmount, context.get(), FSMOUNT_CLOEXEC, attributes)));
}

int expect_attributes(int tree, std::uint64_t attributes) {
    struct Flag {
        std::uint64_t attribute;
        unsigned long status;
    };
    constexpr Flag kFlags[] = {{MOUNT_ATTR_RDONLY, ST_RDONLY},
                               {MOUNT_ATTR_NOSUID, ST_NOSUID},
                               {MOUNT_ATTR_NODEV, ST_NODEV},
                               {MOUNT_ATTR_NOEXEC, ST_NOEXEC}};
    struct statvfs status {};
    if (::fstatvfs(tree, &status) < 0) {
        return -1;
    }
    for (const Flag& flag : kFlags) {
        if ((attributes & flag.attribute) != 0 && (status.f_flag & flag.status) == 0) {
            errno = EPERM;
            return -1;
        }
    }
    return 0;
}

} // namespace sandbox::mount
