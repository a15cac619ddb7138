/* hog VERB NUMBER: takes more than it should have.
   memory N, daemon N: touches N MiB, one after another, and tells each; daemon does so far away from its parent.
   forks: a process that becomes two, again and again; "bomb" before the first.
   burn N: two processes that compute for N seconds. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static void touch(long mebibytes) {
    const size_t size = 1 << 20;
    for (long i = 1; i <= mebibytes; ++i) {
        char* part = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (part == MAP_FAILED) {
            perror("mmap");
            exit(1);
        }
        memset(part, (int)i, size);
        printf("%ld\n", i);
        fflush(stdout);
    }
}

static void burn(long seconds) {
    struct timespec start;
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &start);
    do {
        for (volatile int i = 0; i < 100000; ++i) {
        }
        clock_gettime(CLOCK_MONOTONIC, &now);
    } while (now.tv_sec - start.tv_sec < seconds);
}

int main(int argc, char** argv) {
    const long number = argc > 2 ? atol(argv[2]) : 0;
    if (argc < 2) {
        return 2;
    }
    if (strcmp(argv[1], "memory") == 0) {
        touch(number);
    } else if (strcmp(argv[1], "daemon") == 0) {
        if (fork() == 0) {
            setsid();
            if (fork() == 0) {
                touch(number);
                kill(1, SIGTERM);
            }
            _exit(0);
        }
        wait(NULL);
        pause();
    } else if (strcmp(argv[1], "forks") == 0) {
        puts("bomb");
        fflush(stdout);
        for (;;) {
            fork();
        }
    } else if (strcmp(argv[1], "burn") == 0) {
        const pid_t other = fork();
        burn(number);
        if (other == 0) {
            _exit(0);
        }
        wait(NULL);
    }
    return 0;
}
