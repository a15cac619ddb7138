/* limits VERB NUMBER: uses up a resource, and tells how far it came.
   open N, fork N: so many descriptors, children. "open: ok" or "open: EMFILE", then how many there were.
   stack N: a frame of N bytes; the kernel kills who may not have it.
   raise: sets each limit as it is, then its hard value by one higher, then to none. "nofile: ok", "nofile: EPERM"
   twice. */
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "answer.h"

static long opened(void) {
    return open("/dev/null", O_RDONLY);
}

static long forked(void) {
    const pid_t child = fork();
    if (child == 0) {
        pause();
        _exit(0);
    }
    return child;
}

static void use_up(const char* name, long (*one)(void), long most) {
    long count = 0;
    long result = 0;
    while (count < most && (result = one()) >= 0) {
        ++count;
    }
    answer(name, result);
    printf("%ld\n", count);
}

static __attribute__((noinline)) void use_stack(long size) {
    volatile char frame[size];
    for (long i = 0; i < size; i += 1024) {
        frame[size - 1 - i] = 1;
    }
    answer("stack", frame[0] + frame[size - 1] > 0 ? 0 : -1);
}

static void raise_hard_limits(void) {
    static const struct {
        const char* name;
        enum __rlimit_resource resource;
    } kLimits[] = {
        {"core", RLIMIT_CORE},   {"fsize", RLIMIT_FSIZE}, {"nofile", RLIMIT_NOFILE},
        {"nproc", RLIMIT_NPROC}, {"stack", RLIMIT_STACK},
    };
    for (size_t i = 0; i < sizeof kLimits / sizeof *kLimits; ++i) {
        struct rlimit limit;
        getrlimit(kLimits[i].resource, &limit);
        answer(kLimits[i].name, setrlimit(kLimits[i].resource, &limit));
        ++limit.rlim_max;
        answer(kLimits[i].name, setrlimit(kLimits[i].resource, &limit));
        limit.rlim_max = RLIM_INFINITY;
        answer(kLimits[i].name, setrlimit(kLimits[i].resource, &limit));
    }
}

int main(int argc, char** argv) {
    const long number = argc > 2 ? atol(argv[2]) : 0;
    if (argc < 2) {
        return 2;
    }
    if (strcmp(argv[1], "open") == 0) {
        use_up("open", opened, number);
    } else if (strcmp(argv[1], "fork") == 0) {
        setpgid(0, 0);
        use_up("fork", forked, number);
        signal(SIGTERM, SIG_IGN);
        kill(0, SIGTERM);
        while (wait(NULL) > 0) {
        }
    } else if (strcmp(argv[1], "stack") == 0) {
        use_stack(number);
    } else if (strcmp(argv[1], "raise") == 0) {
        raise_hard_limits();
    }
    return 0;
}
