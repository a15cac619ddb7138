/* tiocsti FD|PATH REQUEST [HIGH]: pushes "PUSHED" and a newline into a terminal's input with ioctl REQUEST (TIOCSTI or
 * TIOCLINUX), with HIGH (hexadecimal) above the request's 32 bits. Prints "NAME: ok" or "NAME: ERRNO". */
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "answer.h"

int main(int argc, char** argv) {
    if (argc < 3) {
        return 2;
    }
    const char* target = argv[1];
    const int fd = target[0] == '/' ? open(target, O_RDWR | O_NOCTTY) : atoi(target);
    if (fd < 0) {
        answer(target, -1);
        return 1;
    }
    const uint64_t high = argc > 3 ? strtoull(argv[3], NULL, 16) : 0;
    const int is_linux = strcmp(argv[2], "TIOCLINUX") == 0;
    const uint64_t request = (high << 32) | (is_linux ? TIOCLINUX : TIOCSTI);
    long result = 0;
    for (const char* key = "PUSHED\n"; *key != 0 && result >= 0; ++key) {
        /* TIOCLINUX 2 is "set the selection", the first half of a paste. */
        char buffer[16] = {is_linux ? 2 : *key};
        result = syscall(SYS_ioctl, fd, request, buffer);
    }
    answer(argv[2], result);
    return result >= 0 ? 0 : 1;
}
