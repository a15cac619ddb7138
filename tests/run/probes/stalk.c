/* stalk COMM EXE: watches for processes of that name, until its input ends, and tries what would make it their master:
   to open their memory, root, program, descriptors and environment, and to trace them. Only what was got while they
   still executed a program whose path holds EXE counts: "WHAT: got" a line, once each; last "met: N", the processes of
   that name. */
#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#include "answer.h"

enum { kTrace, kMost = 16 };
static const struct {
    const char* name;
    int flags;
} kFiles[] = {{"mem", O_RDWR},     {"exe", O_RDONLY},  {"root", O_PATH | O_DIRECTORY}, {"cwd", O_PATH | O_DIRECTORY},
              {"fd", O_DIRECTORY}, {"maps", O_RDONLY}, {"environ", O_RDONLY},          {"fd/3", O_PATH}};
static bool is_got[kMost + 1];

static bool has_name(const char* pid, const char* name) {
    char path[320];
    char comm[32] = "";
    snprintf(path, sizeof path, "/proc/%s/comm", pid);
    const int opened = open(path, O_RDONLY);
    const ssize_t count = opened < 0 ? -1 : read(opened, comm, sizeof comm - 1);
    close(opened);
    comm[count > 0 ? count - 1 : 0] = '\0';
    return strcmp(comm, name) == 0;
}

static bool executes(const char* pid, const char* part) {
    char path[320];
    char target[4096] = "";
    snprintf(path, sizeof path, "/proc/%s/exe", pid);
    return readlink(path, target, sizeof target - 1) > 0 && strstr(target, part) != NULL;
}

static void note(size_t what, const char* name) {
    if (!is_got[what]) {
        is_got[what] = true;
        printf("%s: got\n", name);
        fflush(stdout);
    }
}

static void try(const char* pid, const char* part) {
    for (size_t i = 0; i < sizeof kFiles / sizeof *kFiles; ++i) {
        char path[320];
        char byte = 0;
        snprintf(path, sizeof path, "/proc/%s/%s", pid, kFiles[i].name);
        const int opened = open(path, kFiles[i].flags);
        const bool is_text = kFiles[i].flags == O_RDONLY;
        const bool works = opened >= 0 && (!is_text || read(opened, &byte, 1) > 0);
        if (works && executes(pid, part)) {
            note(i + 1, kFiles[i].name);
        }
        if (opened >= 0) {
            close(opened);
        }
    }
    const pid_t number = (pid_t)strtol(pid, NULL, 10);
    if (ptrace(PTRACE_SEIZE, number, 0, 0) == 0) {
        if (executes(pid, part)) {
            note(kTrace, "trace");
        }
        ptrace(PTRACE_INTERRUPT, number, 0, 0);
        waitpid(number, NULL, __WALL);
        ptrace(PTRACE_DETACH, number, 0, 0);
    }
}

int main(int argc, char** argv) {
    if (argc != 3) {
        return 2;
    }
    static bool is_met[1 << 22];
    long met = 0;
    printf("up\n");
    fflush(stdout);
    for (struct pollfd input = {STDIN_FILENO, POLLIN, 0}; poll(&input, 1, 0) == 0;) {
        DIR* processes = opendir("/proc");
        for (struct dirent* entry; processes != NULL && (entry = readdir(processes)) != NULL;) {
            if (!isdigit((unsigned char)entry->d_name[0]) || !has_name(entry->d_name, argv[1])) {
                continue;
            }
            bool* seen = &is_met[strtol(entry->d_name, NULL, 10) & ((1 << 22) - 1)];
            met += *seen ? 0 : 1;
            *seen = true;
            try(entry->d_name, argv[2]);
        }
        closedir(processes);
    }
    printf("met: %ld\n", met);
    return 0;
}
