/* descriptors: every open descriptor below 65536, found without /proc, one a line: "FD DEV:INODE MODE". */
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

int main(void) {
    for (int fd = 0; fd < 65536; ++fd) {
        struct stat status;
        if (fcntl(fd, F_GETFD) >= 0 && fstat(fd, &status) == 0) {
            printf("%d %lu:%lu %o\n", fd, (unsigned long)status.st_dev, (unsigned long)status.st_ino,
                   (unsigned)status.st_mode);
        }
    }
    return 0;
}
