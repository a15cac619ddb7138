/* bare: a program without a C library, which makes hardly any system call, so that a call made to fail is ours and not
 * its own. Prints "bare NNP SECCOMP CAPS": no_new_privs, the seccomp mode, and whether any capability is held (0:
 * none). */
#include <linux/capability.h>
#include <linux/prctl.h>
#include <sys/syscall.h>

static long call(long number, long one, long two, long three) {
    long result = number;
#if defined(__x86_64__)
    register long r10 __asm__("r10") = 0;
    register long r8 __asm__("r8") = 0;
    __asm__ volatile("syscall"
                     : "+a"(result)
                     : "D"(one), "S"(two), "d"(three), "r"(r10), "r"(r8)
                     : "rcx", "r11", "memory");
#elif defined(__aarch64__)
    register long x8 __asm__("x8") = number;
    register long x0 __asm__("x0") = one;
    register long x1 __asm__("x1") = two;
    register long x2 __asm__("x2") = three;
    register long x3 __asm__("x3") = 0;
    register long x4 __asm__("x4") = 0;
    __asm__ volatile("svc 0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4) : "memory");
    result = x0;
#endif
    return result;
}

static char digit(long value) {
    return value >= 0 && value <= 9 ? (char)('0' + value) : '?';
}

/* Nobody aligned the stack for a call. */
#if defined(__x86_64__)
__attribute__((force_align_arg_pointer))
#endif
void _start(void);
void _start(void) {
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
    struct __user_cap_data_struct data[2] = {{1, 1, 1}, {1, 1, 1}};
    const long asked = call(SYS_capget, (long)&header, (long)data, 0);
    const unsigned held = data[0].effective | data[0].permitted | data[0].inheritable | data[1].effective |
                          data[1].permitted | data[1].inheritable;
    char line[] = "bare ? ? ?\n";
    line[5] = digit(call(SYS_prctl, PR_GET_NO_NEW_PRIVS, 0, 0));
    line[7] = digit(call(SYS_prctl, PR_GET_SECCOMP, 0, 0));
    line[9] = asked == 0 && held == 0 ? '0' : '1';
    call(SYS_write, 1, (long)line, sizeof line - 1);
    call(SYS_exit_group, 0, 0, 0);
    for (;;) {
    }
}
