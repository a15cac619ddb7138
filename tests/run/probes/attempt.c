/* attempt NAME...: tries each named thing that a sandbox should refuse; one answer a line. */
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/io_uring.h>
#include <linux/keyctl.h>
#include <linux/mount.h>
#include <linux/perf_event.h>
#include <linux/sched.h>
#include <linux/userfaultfd.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "answer.h"

/* Runs the attempt in a child, so that its success does not change the next one. */
static long in_child(long (*attempt)(void)) {
    const pid_t child = fork();
    if (child == 0) {
        const long result = attempt();
        _exit(result >= 0 ? 0 : errno);
    }
    int status = 0;
    waitpid(child, &status, 0);
    if (WIFSIGNALED(status)) {
        errno = EFAULT;
        return -1;
    }
    errno = WEXITSTATUS(status);
    return errno == 0 ? 0 : -1;
}

static long do_mount(void) {
    return mount("tmpfs", "/tmp", "tmpfs", 0, NULL);
}
static long do_umount(void) {
    return umount2("/proc", MNT_DETACH);
}
static long do_remount(void) {
    return mount(NULL, "/usr", NULL, MS_REMOUNT | MS_BIND, NULL);
}
static long do_pivot_root(void) {
    return syscall(SYS_pivot_root, ".", ".");
}
static long do_chroot(void) {
    return chroot("/");
}
static long do_open_tree(void) {
    return syscall(SYS_open_tree, AT_FDCWD, "/tmp", OPEN_TREE_CLONE);
}
static long do_fsopen(void) {
    return syscall(SYS_fsopen, "tmpfs", 0);
}
static long do_mount_setattr(void) {
    struct mount_attr attributes = {.attr_clr = MOUNT_ATTR_RDONLY};
    return syscall(SYS_mount_setattr, AT_FDCWD, "/usr", 0, &attributes, sizeof attributes);
}
static long do_unshare_user(void) {
    return unshare(CLONE_NEWUSER);
}
static long do_unshare_net(void) {
    return unshare(CLONE_NEWNET);
}
static long do_unshare_mnt(void) {
    return unshare(CLONE_NEWNS);
}
static long do_setns(void) {
    const int own = open("/proc/self/ns/user", O_RDONLY);
    return own < 0 ? -1 : setns(own, 0);
}
static long do_setns_uts(void) {
    const int own = open("/proc/self/ns/uts", O_RDONLY);
    return own < 0 ? -1 : setns(own, 0);
}
static long do_clone_newuser(void) {
    const long child = syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, 0, 0, 0, 0);
    if (child == 0) {
        _exit(0);
    }
    return child;
}
/* CLONE_NEWUSER with bits that the kernel ignores set above the flags' 32 bits. */
static long do_clone_newuser_high_bits(void) {
    const long child = syscall(SYS_clone, (1UL << 40) | CLONE_NEWUSER | SIGCHLD, 0, 0, 0, 0);
    if (child == 0) {
        _exit(0);
    }
    return child;
}
static long clone3_with(uint64_t flags) {
    struct clone_args arguments = {.flags = flags, .exit_signal = SIGCHLD};
    const long child = syscall(SYS_clone3, &arguments, sizeof arguments);
    if (child == 0) {
        _exit(0);
    }
    return child;
}
static long do_clone3(void) {
    return clone3_with(0);
}
static long do_clone3_newuser(void) {
    return clone3_with(CLONE_NEWUSER);
}
static long do_ptrace(void) {
    const pid_t child = fork();
    if (child == 0) {
        pause();
        _exit(0);
    }
    const long result = ptrace(PTRACE_SEIZE, child, 0, 0);
    const int why = errno;
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    errno = why;
    return result;
}
static long do_ptrace_init(void) {
    return ptrace(PTRACE_SEIZE, 1, 0, 0);
}
static long do_process_vm_readv(void) {
    char source = 'x';
    char target = 0;
    struct iovec from = {&source, 1};
    struct iovec to = {&target, 1};
    return process_vm_readv(getpid(), &to, 1, &from, 1, 0);
}
static long do_bpf(void) {
    union bpf_attr attributes;
    memset(&attributes, 0, sizeof attributes);
    attributes.map_type = BPF_MAP_TYPE_ARRAY;
    attributes.key_size = 4;
    attributes.value_size = 4;
    attributes.max_entries = 1;
    return syscall(SYS_bpf, BPF_MAP_CREATE, &attributes, sizeof attributes);
}
static long do_keyctl(void) {
    return syscall(SYS_keyctl, KEYCTL_GET_KEYRING_ID, KEY_SPEC_SESSION_KEYRING, 1);
}
static long do_add_key(void) {
    return syscall(SYS_add_key, "user", "sandbox-attempt", "x", 1, KEY_SPEC_PROCESS_KEYRING);
}
static long do_request_key(void) {
    return syscall(SYS_request_key, "user", "sandbox-no-such-key", NULL, 0);
}
static long do_io_uring(void) {
    struct io_uring_params parameters;
    memset(&parameters, 0, sizeof parameters);
    return syscall(SYS_io_uring_setup, 1, &parameters);
}
static long do_perf_event_open(void) {
    struct perf_event_attr attributes;
    memset(&attributes, 0, sizeof attributes);
    attributes.size = sizeof attributes;
    attributes.type = PERF_TYPE_SOFTWARE;
    attributes.config = PERF_COUNT_SW_TASK_CLOCK;
    attributes.exclude_kernel = 1;
    attributes.exclude_hv = 1;
    return syscall(SYS_perf_event_open, &attributes, 0, -1, -1, 0);
}
/* Flags that the kernel refuses with EINVAL, but only after it asked for the privilege: nothing is ever loaded. */
static long do_kexec_load(void) {
    return syscall(SYS_kexec_load, 0, 0, NULL, 0xffffUL);
}
static long do_userfaultfd(void) {
    return syscall(SYS_userfaultfd, UFFD_USER_MODE_ONLY);
}
static long do_open_by_handle_at(void) {
    struct {
        struct file_handle handle;
        char bytes[8];
    } handle = {.handle = {.handle_bytes = 8, .handle_type = 1}, .bytes = {0}};
    return open_by_handle_at(AT_FDCWD, &handle.handle, O_RDONLY);
}
static long do_personality(void) {
    return personality(ADDR_NO_RANDOMIZE);
}
static long do_vsock(void) {
    return socket(AF_VSOCK, SOCK_STREAM, 0);
}
static long do_vsock_high_bits(void) {
    return syscall(SYS_socket, (1UL << 40) | AF_VSOCK, SOCK_STREAM, 0);
}
static long do_alg(void) {
    return socket(AF_ALG, SOCK_SEQPACKET, 0);
}
static long do_unix(void) {
    return socket(AF_UNIX, SOCK_STREAM, 0);
}
static long do_setuid_root(void) {
    return setresuid(0, 0, 0);
}
static long do_setuid(void) {
    return syscall(SYS_setuid, 0);
}
static long do_setgid(void) {
    return syscall(SYS_setgid, 0);
}
static long do_setgroups(void) {
    return syscall(SYS_setgroups, 0, NULL);
}
static long do_sethostname(void) {
    return sethostname("taken", 5);
}
static long do_keepcaps(void) {
    return prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0);
}
static long do_swapon(void) {
    return syscall(SYS_swapon, "/nonexistent", 0);
}
static long do_init_module(void) {
    return syscall(SYS_init_module, NULL, 0, NULL);
}
static long do_syslog(void) {
    return syscall(SYS_syslog, 10, NULL, 0);
}
static long do_quotactl(void) {
    return syscall(SYS_quotactl, 0, NULL, 0, NULL);
}
static long do_clock_settime(void) {
    return syscall(SYS_clock_settime, 99, NULL);
}
static long do_mknod(void) {
    return mknod("/tmp/sandbox-attempt-device", S_IFCHR | 0600, (1 << 8) | 1);
}

static const struct {
    const char* name;
    long (*attempt)(void);
} kAttempts[] = {
    {"mount", do_mount},
    {"umount", do_umount},
    {"remount", do_remount},
    {"pivot_root", do_pivot_root},
    {"chroot", do_chroot},
    {"open_tree", do_open_tree},
    {"fsopen", do_fsopen},
    {"mount_setattr", do_mount_setattr},
    {"unshare-user", do_unshare_user},
    {"unshare-net", do_unshare_net},
    {"unshare-mnt", do_unshare_mnt},
    {"setns", do_setns},
    {"setns-uts", do_setns_uts},
    {"clone-newuser", do_clone_newuser},
    {"clone-newuser-high-bits", do_clone_newuser_high_bits},
    {"clone3", do_clone3},
    {"clone3-newuser", do_clone3_newuser},
    {"ptrace", do_ptrace},
    {"ptrace-init", do_ptrace_init},
    {"process_vm_readv", do_process_vm_readv},
    {"bpf", do_bpf},
    {"keyctl", do_keyctl},
    {"add_key", do_add_key},
    {"request_key", do_request_key},
    {"io_uring_setup", do_io_uring},
    {"perf_event_open", do_perf_event_open},
    {"kexec_load", do_kexec_load},
    {"userfaultfd", do_userfaultfd},
    {"open_by_handle_at", do_open_by_handle_at},
    {"personality", do_personality},
    {"vsock", do_vsock},
    {"vsock-high-bits", do_vsock_high_bits},
    {"alg", do_alg},
    {"unix", do_unix},
    {"setuid-root", do_setuid_root},
    {"setuid", do_setuid},
    {"setgid", do_setgid},
    {"setgroups", do_setgroups},
    {"sethostname", do_sethostname},
    {"keepcaps", do_keepcaps},
    {"swapon", do_swapon},
    {"init_module", do_init_module},
    {"syslog", do_syslog},
    {"quotactl", do_quotactl},
    {"clock_settime", do_clock_settime},
    {"mknod", do_mknod},
};

/* Whether this process could harm the machine itself: the machine's own root. */
static int is_the_machines_root(void) {
    unsigned long first = 0, outside = 0, count = 0;
    FILE* map = fopen("/proc/self/uid_map", "r");
    if (map != NULL) {
        if (fscanf(map, "%lu %lu %lu", &first, &outside, &count) != 3) {
            count = 0;
        }
        fclose(map);
    }
    return geteuid() == 0 && outside == 0 && count > 65536;
}

/* Attempts that are harmless even where the machine's root makes them and they succeed. */
static int is_harmless(const char* name) {
    static const char* const kHarmless[] = {
        "bpf",    "keyctl",      "io_uring_setup", "perf_event_open", "kexec_load", "open_by_handle_at",
        "swapon", "init_module", "syslog"};
    for (size_t i = 0; i < sizeof kHarmless / sizeof *kHarmless; ++i) {
        if (strcmp(name, kHarmless[i]) == 0) {
            return 1;
        }
    }
    return 0;
}

int main(int argc, char** argv) {
    const int careful = is_the_machines_root();
    for (int i = 1; i < argc; ++i) {
        int known = 0;
        for (size_t j = 0; j < sizeof kAttempts / sizeof *kAttempts; ++j) {
            if (strcmp(argv[i], kAttempts[j].name) == 0 && (!careful || is_harmless(argv[i]))) {
                answer(argv[i], in_child(kAttempts[j].attempt));
                known = 1;
            }
        }
        if (!known) {
            printf("%s: no such attempt\n", argv[i]);
            return 2;
        }
    }
    return 0;
}
