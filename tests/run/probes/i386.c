/* i386: getpid as a 32-bit program makes it, int 0x80. Prints "i386: ran", "i386: ERRNO", or is killed. */
#include <stdio.h>
#include <string.h>

int main(void) {
#if defined(__x86_64__)
    long result = 20;
    __asm__ volatile("int $0x80" : "+a"(result) : : "memory", "r8", "r9", "r10", "r11");
    result = (int)result;
    printf("i386: %s\n", result > 0 ? "ran" : strerrorname_np((int)-result));
#else
    printf("i386: not on this machine\n");
#endif
    return 0;
}
