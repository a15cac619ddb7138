/* calls getpid|read N: makes a system call N times; prints the nanoseconds that one took. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

int main(int argc, char** argv) {
    if (argc != 3) {
        return 2;
    }
    const long count = atol(argv[2]);
    const int zero = open("/dev/zero", O_RDONLY);
    const int reads = strcmp(argv[1], "read") == 0;
    char byte = 0;
    struct timespec begin, end;
    clock_gettime(CLOCK_MONOTONIC, &begin);
    for (long i = 0; i < count; ++i) {
        if (reads) {
            if (read(zero, &byte, 1) != 1) {
                return 1;
            }
        } else {
            syscall(SYS_getpid);
        }
    }
    clock_gettime(CLOCK_MONOTONIC, &end);
    printf("%.2f\n",
           ((double)(end.tv_sec - begin.tv_sec) * 1e9 + (double)(end.tv_nsec - begin.tv_nsec)) / (double)count);
    return 0;
}
