/* remount PATH: every way to make a read-only mount writable again, one answer a line; then writes below it. */
#include <fcntl.h>
#include <linux/mount.h>
#include <sched.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "answer.h"

static void try_all(const char* path) {
    struct mount_attr attributes = {.attr_clr = MOUNT_ATTR_RDONLY};
    answer("remount-bind", mount(NULL, path, NULL, MS_REMOUNT | MS_BIND, NULL));
    answer("remount", mount(NULL, path, NULL, MS_REMOUNT, NULL));
    answer("mount_setattr",
           syscall(SYS_mount_setattr, AT_FDCWD, path, 0x8000 /* AT_RECURSIVE */, &attributes, sizeof attributes));
    answer("umount", umount2(path, MNT_DETACH));
    const long clone = syscall(SYS_open_tree, AT_FDCWD, path, OPEN_TREE_CLONE);
    answer("open_tree", clone);
    if (clone >= 0) {
        answer("mount_setattr-clone",
               syscall(SYS_mount_setattr, (int)clone, "", AT_EMPTY_PATH, &attributes, sizeof attributes));
    }
}

int main(int argc, char** argv) {
    if (argc != 2) {
        return 2;
    }
    try_all(argv[1]);
    /* Again with every capability of a user namespace of one's own. */
    const long own = unshare(CLONE_NEWUSER | CLONE_NEWNS);
    answer("unshare", own);
    if (own >= 0) {
        try_all(argv[1]);
    }
    char name[4096];
    snprintf(name, sizeof name, "%s/written-by-remount", argv[1]);
    answer("write", open(name, O_WRONLY | O_CREAT, 0600));
    return 0;
}
