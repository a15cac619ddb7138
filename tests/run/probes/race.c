/* race mount TIMES: mounts a tmpfs on /tmp while a second thread turns that name into another and back without end.
 *   Prints "refused N", how often it got EPERM, and "mounted N", how many mounts there are more than before.
 * race open TIMES FILE OTHER: opens FILE and reads it, while a second thread turns the name into OTHER, which differs
 * in one byte, and back, until each of the two has been met 50 times, TIMES at least and a minute at most. Prints
 * "opened N", "failed N" and the first byte of each file that it read: "read a". */
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <time.h>
#include <unistd.h>

#include "answer.h"

static char name[4096];
static size_t changing;
static char other;
static atomic_bool over;

static void* change(void* unused) {
    (void)unused;
    const char first = name[changing];
    volatile char* byte = &name[changing];
    while (!over) {
        *byte = other;
        *byte = first;
    }
    return NULL;
}

static long mounts(void) {
    FILE* file = fopen("/proc/self/mountinfo", "r");
    long lines = 0;
    for (int c = 0; file != NULL && (c = fgetc(file)) != EOF;) {
        lines += c == '\n';
    }
    if (file != NULL) {
        fclose(file);
    }
    return lines;
}

static void mount_often(long times) {
    const long before = mounts();
    long refused = 0;
    for (long i = 0; i < times; ++i) {
        refused += mount("tmpfs", name, "tmpfs", 0, NULL) != 0 && errno == EPERM;
    }
    printf("refused %ld\nmounted %ld\n", refused, mounts() - before);
}

static void open_often(long times) {
    const time_t end = time(NULL) + 60;
    long opened = 0;
    long met[257] = {0}; /* the first byte that was read; 256: it could not be opened */
    int often = 0;       /* answers that were met 50 times: the race was won and lost */
    for (; (opened < times || often < 2) && time(NULL) < end; ++opened) {
        unsigned char byte = 0;
        const int file = open(name, O_RDONLY | O_CLOEXEC);
        const int answer = file < 0 || read(file, &byte, 1) != 1 ? 256 : byte;
        often += ++met[answer] == 50;
        close(file);
    }
    printf("opened %ld\nfailed %ld\n", opened, met[256]);
    for (int byte = 0; byte < 256; ++byte) {
        if (met[byte] > 0) {
            printf("read %c\n", byte);
        }
    }
}

int main(int argc, char** argv) {
    const int opens = argc == 5 && strcmp(argv[1], "open") == 0;
    if (!opens && (argc != 3 || strcmp(argv[1], "mount") != 0)) {
        return 2;
    }
    const char* second = opens ? argv[4] : "/tmq";
    snprintf(name, sizeof name, "%s", opens ? argv[3] : "/tmp");
    while (name[changing] != '\0' && name[changing] == second[changing]) {
        ++changing;
    }
    other = second[changing];
    pthread_t thread;
    if (pthread_create(&thread, NULL, change, NULL) != 0) {
        return 3;
    }
    const long times = strtol(argv[2], NULL, 0);
    if (opens) {
        open_often(times);
    } else {
        mount_often(times);
    }
    over = 1;
    pthread_join(thread, NULL);
    return 0;
}
