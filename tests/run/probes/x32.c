/* x32: getpid with the x32 bit in its number. Prints "x32: ran", "x32: ERRNO", or is killed. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

int main(void) {
#if defined(__x86_64__)
    const long result = syscall(SYS_getpid | 0x40000000L);
    printf("x32: %s\n", result > 0 ? "ran" : strerrorname_np(errno));
#else
    printf("x32: not on this machine\n");
#endif
    return 0;
}
