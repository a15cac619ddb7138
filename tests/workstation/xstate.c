// Preloaded into user-mode Linux: its processes' vector registers on a processor that has more of them (AMX) than Linux
// 6.1's buffer for them holds. The kernel takes the whole of PTRACE_SETREGSET's NT_X86_XSTATE or nothing: ptrace(2).
// What lies behind the buffer's end is left as it is.
#define _GNU_SOURCE
#include <elf.h>
#include <errno.h>
#include <stdarg.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

static long set_part(long pid, const struct iovec* part) {
    static char whole[65536];
    struct iovec all = {.iov_base = whole, .iov_len = sizeof whole};
    if (syscall(SYS_ptrace, PTRACE_GETREGSET, pid, NT_X86_XSTATE, &all) < 0 || all.iov_len < part->iov_len) {
        return -1;
    }
    memcpy(whole, part->iov_base, part->iov_len);
    return syscall(SYS_ptrace, PTRACE_SETREGSET, pid, NT_X86_XSTATE, &all);
}

// In the place of the C library's; the kernel of the workstation makes its calls from one thread.
long ptrace(enum __ptrace_request request, ...) {
    va_list rest;
    va_start(rest, request);
    const long pid = va_arg(rest, pid_t);
    void* const address = va_arg(rest, void*);
    void* data = va_arg(rest, void*);
    va_end(rest);
    long word = 0;
    const int peeks = request == PTRACE_PEEKTEXT || request == PTRACE_PEEKDATA || request == PTRACE_PEEKUSER;
    if (peeks) {
        data = &word; // the system call's own way to answer
    }
    long result = syscall(SYS_ptrace, request, pid, address, data);
    if (result < 0 && request == PTRACE_SETREGSET && (long)address == NT_X86_XSTATE) {
        result = set_part(pid, data);
    }
    if (peeks && result >= 0) {
        errno = 0;
        return word;
    }
    return result;
}
