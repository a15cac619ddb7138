/* ptrace_rewrite: traces a child and turns its getppid into unshare(CLONE_NEWUSER) after the child has entered the
 * kernel: where a filter looks only before the tracer, this goes past it. Prints "rewrite: ok" or "rewrite: ERRNO". */
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#include "answer.h"

int main(void) {
#if defined(__x86_64__)
    int answers[2];
    if (pipe(answers) != 0) {
        return 2;
    }
    const pid_t child = fork();
    if (child == 0) {
        ptrace(PTRACE_TRACEME, 0, 0, 0);
        raise(SIGSTOP);
        const long result = syscall(SYS_getppid);
        const int why = result >= 0 ? 0 : errno;
        const ssize_t sent = write(answers[1], &why, sizeof why);
        _exit(sent == (ssize_t)sizeof why ? 0 : 1);
    }
    int status = 0;
    waitpid(child, &status, 0);
    int rewritten = 0;
    while (!rewritten) {
        if (ptrace(PTRACE_SYSCALL, child, 0, 0) != 0 || waitpid(child, &status, 0) < 0 || WIFEXITED(status)) {
            answer("trace", -1);
            return 1;
        }
        struct user_regs_struct registers;
        if (ptrace(PTRACE_GETREGS, child, 0, &registers) == 0 && registers.orig_rax == SYS_getppid) {
            registers.orig_rax = SYS_unshare;
            registers.rdi = CLONE_NEWUSER;
            ptrace(PTRACE_SETREGS, child, 0, &registers);
            rewritten = 1;
        }
    }
    ptrace(PTRACE_DETACH, child, 0, 0);
    int why = 0;
    if (read(answers[0], &why, sizeof why) != (ssize_t)sizeof why) {
        return 1;
    }
    errno = why;
    answer("rewrite", why == 0 ? 0 : -1);
#else
    printf("rewrite: not on this machine\n");
#endif
    return 0;
}
