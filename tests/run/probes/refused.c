/* refused WAY NUMBER[:ARGUMENT]...: makes each system call, and prints "NUMBER: ok" or "NUMBER: ERRNO".
 *   self, thread, grandchild, exec   who makes it: this process, a thread of it, a child's child's child, a process
 *                                    that was executed anew
 *   own-errno, own-notify, own-allow, own-trap   this process loads a filter of its own before, with that answer for
 *                                    every call with a number above 400
 *   alarm                            a SIGALRM comes every millisecond
 *   named                            the process calls itself a line that is none of ours
 * refused loop N NUMBER: makes it N times; prints how often it got EPERM.
 * refused alarmed-loop N NUMBER: the same, with a SIGALRM every millisecond; prints "rang" too, if one came.
 * refused forever NUMBER: makes it without end; prints the first answer.
 * refused listener: asks for a listener of its own; prints "listener: ok" or "listener: ERRNO".
 * refused outer CMD...: loads a filter with a listener, which answers nothing, and executes CMD. */
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "answer.h"

static char** words;

static void make_calls(void) {
    for (char** word = words; *word != NULL; ++word) {
        char* end = NULL;
        const long number = strtol(*word, &end, 0);
        const unsigned long argument = *end == ':' ? strtoul(end + 1, NULL, 0) : 0;
        answer(*word, syscall(number, argument, 0, 0, 0, 0, 0));
    }
}

static void* make_calls_in_thread(void* unused) {
    (void)unused;
    make_calls();
    return NULL;
}

static int filter(unsigned flags, unsigned above, unsigned action) {
    struct sock_filter program[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, above, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, action),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    const struct sock_fprog loaded = {sizeof program / sizeof *program, program};
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    return (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &loaded);
}

static volatile sig_atomic_t rang;

static void ring(int signal) {
    (void)signal;
    rang = 1;
}

static void ring_every_millisecond(void) {
    const struct sigaction action = {.sa_handler = ring, .sa_flags = SA_RESTART};
    sigaction(SIGALRM, &action, NULL);
    const struct itimerval every = {{0, 1000}, {0, 1000}};
    setitimer(ITIMER_REAL, &every, NULL);
}

static int descend(int generations) {
    if (generations == 0) {
        make_calls();
        return 0;
    }
    const pid_t child = fork();
    if (child == 0) {
        _exit(descend(generations - 1));
    }
    int status = 0;
    return child > 0 && waitpid(child, &status, 0) == child ? WEXITSTATUS(status) : 1;
}

static int own_filter(const char* action) {
    return strcmp(action, "errno") == 0    ? filter(0, 400, SECCOMP_RET_ERRNO | EXDEV)
           : strcmp(action, "notify") == 0 ? filter(0, 400, SECCOMP_RET_USER_NOTIF)
           : strcmp(action, "trap") == 0   ? filter(0, 400, SECCOMP_RET_TRAP)
                                           : filter(0, 400, SECCOMP_RET_ALLOW);
}

int main(int argc, char** argv) {
    if (argc < 2) {
        return 2;
    }
    const char* way = argv[1];
    if (strcmp(way, "listener") == 0) {
        answer(way, filter(SECCOMP_FILTER_FLAG_NEW_LISTENER, 100000, SECCOMP_RET_USER_NOTIF));
        return 0;
    }
    if (argc < 3) {
        return 2;
    }
    words = argv + 2;
    if (strcmp(way, "outer") == 0) {
        const int listener = filter(SECCOMP_FILTER_FLAG_NEW_LISTENER, 100000, SECCOMP_RET_USER_NOTIF);
        if (listener < 0) {
            return 3;
        }
        // The descriptor is close-on-exec, and without it there is no listener: the parent keeps it.
        const pid_t child = fork();
        if (child == 0) {
            execvp(words[0], words);
            _exit(4);
        }
        int status = 0;
        return child > 0 && waitpid(child, &status, 0) == child ? WEXITSTATUS(status) : 5;
    }
    if (strcmp(way, "loop") == 0 || strcmp(way, "alarmed-loop") == 0) {
        if (strcmp(way, "loop") != 0) {
            ring_every_millisecond();
        }
        const long number = strtol(argv[3], NULL, 0);
        long failed = 0;
        for (long i = strtol(argv[2], NULL, 0); i > 0; --i) {
            failed += syscall(number, 0, 0, 0, 0, 0, 0) < 0 && errno == EPERM;
        }
        printf("%ld\n%s", failed, rang ? "rang\n" : "");
        return 0;
    }
    if (strcmp(way, "forever") == 0) {
        const long number = strtol(argv[2], NULL, 0);
        answer(argv[2], syscall(number, 0, 0, 0, 0, 0, 0));
        for (;;) {
            syscall(number, 0, 0, 0, 0, 0, 0);
        }
    }
    if (strcmp(way, "thread") == 0) {
        pthread_t thread;
        if (pthread_create(&thread, NULL, make_calls_in_thread, NULL) != 0) {
            return 3;
        }
        pthread_join(thread, NULL);
        return 0;
    }
    if (strcmp(way, "grandchild") == 0) {
        return descend(3);
    }
    if (strcmp(way, "exec") == 0) {
        char self[] = "self";
        argv[1] = self;
        execv("/proc/self/exe", argv);
        return 3;
    }
    if (strncmp(way, "own-", 4) == 0 && own_filter(way + 4) < 0) {
        return 3;
    }
    if (strcmp(way, "alarm") == 0) {
        ring_every_millisecond();
    }
    if (strcmp(way, "named") == 0) {
        prctl(PR_SET_NAME, "x\n  \x1b[31mallow", 0, 0, 0);
    }
    make_calls();
    return 0;
}
