/* bench-peer PLAN CMD [ARG...]: the yardstick of `make bench`: a plain C program that makes the kernel calls of a
 * sandbox and nothing else. No option, no profile, no error text: PLAN is a file that the bench wrote out of `sandbox
 * --dry-run=json`, one step a line, its words separated by tabs. Exits with CMD's status; 125 where a call failed, with
 * its line. */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/keyctl.h>
#include <linux/mount.h>
#include <linux/openat2.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <linux/securebits.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define CHECK(call)                                                                                                    \
    do {                                                                                                               \
        if ((long)(call) < 0) {                                                                                        \
            fprintf(stderr, "bench-peer: line %d: %s: %s\n", __LINE__, #call, strerror(errno));                        \
            _exit(125);                                                                                                \
        }                                                                                                              \
    } while (0)

enum { kMost = 1024, kSafe = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV };

/* The plan's lines, each cut into its words. */
static char* steps[kMost][8];
static int step_count;

static void read_plan(const char* path) {
    static char text[1 << 18];
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    CHECK(fd);
    const ssize_t size = read(fd, text, sizeof text - 1);
    CHECK(size);
    close(fd);
    char* line_state = NULL;
    for (char* line = strtok_r(text, "\n", &line_state); line != NULL; line = strtok_r(NULL, "\n", &line_state)) {
        char* word_state = NULL;
        int words = 0;
        for (char* word = strtok_r(line, "\t", &word_state); word != NULL && words < 8;
             word = strtok_r(NULL, "\t", &word_state)) {
            steps[step_count][words++] = word;
        }
        ++step_count;
    }
}

static const char* word_of(const char* name, int index) {
    for (int i = 0; i < step_count; ++i) {
        if (strcmp(steps[i][0], name) == 0) {
            return steps[i][index];
        }
    }
    return NULL;
}

/* Starts newuidmap or newgidmap for `child` with the plan's lines `name`. */
static pid_t start_helper(const char* name, pid_t child) {
    char pid[16];
    snprintf(pid, sizeof pid, "%d", child);
    char* argv[64];
    int argc = 0;
    argv[argc++] = (char*)(uintptr_t)word_of(name, 1);
    argv[argc++] = pid;
    for (int i = 0; i < step_count && argc < 60; ++i) {
        if (strcmp(steps[i][0], name) == 0) {
            argv[argc++] = steps[i][2];
            argv[argc++] = steps[i][3];
            argv[argc++] = steps[i][4];
        }
    }
    argv[argc] = NULL;
    char* envp[] = {NULL};
    pid_t helper = -1;
    errno = posix_spawn(&helper, argv[0], NULL, NULL, argv, envp);
    CHECK(errno == 0 ? 0 : -1);
    return helper;
}

static void expect_success(pid_t helper) {
    int status = 0;
    CHECK(waitpid(helper, &status, 0));
    CHECK(status == 0 ? 0 : -1);
}

/* -1 where there is nothing of that name. */
static int find_below(int root, const char* path) {
    const struct open_how how = {.flags = O_PATH | O_CLOEXEC, .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS};
    while (*path == '/') {
        ++path;
    }
    return (int)syscall(SYS_openat2, root, *path == 0 ? "." : path, &how, sizeof how);
}

static int open_below(int root, const char* path) {
    const int fd = find_below(root, path);
    CHECK(fd);
    return fd;
}

static void set_attributes(int tree, uint64_t attributes, unsigned recursive) {
    const struct mount_attr attr = {.attr_set = attributes, .propagation = MS_PRIVATE};
    CHECK(syscall(SYS_mount_setattr, tree, "", AT_EMPTY_PATH | recursive, &attr, sizeof attr));
}

static void attach(int tree, int target) {
    CHECK(syscall(SYS_move_mount, tree, "", target, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH));
    close(target);
    close(tree);
}

static int clone_tree(int source, const char* name, unsigned flags) {
    const long tree = syscall(SYS_open_tree, source, name, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | flags);
    CHECK(tree);
    return (int)tree;
}

static int new_file_system(const char* type, const char* const* options, uint64_t attributes) {
    const long context = syscall(SYS_fsopen, type, 1 /* FSOPEN_CLOEXEC */);
    CHECK(context);
    for (; *options != NULL; options += 2) {
        CHECK(syscall(SYS_fsconfig, context, options[1] == NULL ? 0 /* flag */ : 1 /* string */, options[0], options[1],
                      0));
    }
    CHECK(syscall(SYS_fsconfig, context, 6 /* create */, NULL, NULL, 0));
    const long mounted = syscall(SYS_fsmount, context, 1 /* FSMOUNT_CLOEXEC */, attributes);
    CHECK(mounted);
    close((int)context);
    return (int)mounted;
}

/* The directory above `dest` below `root`, and dest's last name. */
static int open_parent(int root, const char* dest, const char** name) {
    char parent[4096];
    const char* slash = strrchr(dest, '/');
    memcpy(parent, dest, (size_t)(slash - dest));
    parent[slash - dest] = 0;
    *name = slash + 1;
    return open_below(root, parent);
}

static void expect_flags(int tree, unsigned long flags) {
    struct statvfs status;
    CHECK(fstatvfs(tree, &status));
    CHECK((status.f_flag & flags) == flags ? 0 : -1);
}

/* An empty thing of the stage over `dest`, read-only, where this kernel has such a file. */
static void cover(int stage, int root, const char* dest) {
    const int target = find_below(root, dest);
    if (target < 0) {
        return;
    }
    struct stat status;
    CHECK(fstat(target, &status));
    const int tree = clone_tree(stage, S_ISDIR(status.st_mode) ? "empty" : "nothing", 0);
    set_attributes(tree, kSafe | MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOEXEC, 0);
    attach(tree, target);
}

static void add(int stage, int root, char** step, int number) {
    const char* kind = step[0];
    const char* dest = step[1];
    const char* name = NULL;
    if (strcmp(kind, "directory") == 0) {
        const int parent = open_parent(root, dest, &name);
        CHECK(mkdirat(parent, name, (mode_t)atoi(step[2])));
        close(parent);
    } else if (strcmp(kind, "file") == 0) {
        const int parent = open_parent(root, dest, &name);
        const int file = openat(parent, name, O_CREAT | O_EXCL | O_RDONLY | O_CLOEXEC, 0444);
        CHECK(file);
        close(file);
        close(parent);
    } else if (strcmp(kind, "link") == 0) {
        const int parent = open_parent(root, dest, &name);
        CHECK(symlinkat(step[2], parent, name));
        close(parent);
    } else if (strcmp(kind, "bind") == 0) {
        const struct open_how how = {.flags = O_PATH | O_CLOEXEC, .resolve = RESOLVE_NO_SYMLINKS};
        const long source = syscall(SYS_openat2, AT_FDCWD, step[2], &how, sizeof how);
        CHECK(source);
        struct stat status;
        CHECK(fstat((int)source, &status));
        const int tree = clone_tree((int)source, "", AT_EMPTY_PATH | AT_RECURSIVE);
        close((int)source);
        const uint64_t attributes = MOUNT_ATTR_NOSUID | (step[3][0] == 'w' ? 0 : MOUNT_ATTR_RDONLY) |
                                    (step[4][0] == 'd' ? 0 : MOUNT_ATTR_NODEV);
        set_attributes(tree, attributes, AT_RECURSIVE);
        expect_flags(tree, ST_NOSUID);
        attach(tree, open_below(root, dest));
    } else if (strcmp(kind, "private_directory") == 0 || strcmp(kind, "cover_directory") == 0) {
        char own[16];
        snprintf(own, sizeof own, "%d", number);
        CHECK(mkdirat(stage, own, 0700));
        CHECK(fchmodat(stage, own, kind[0] == 'p' ? (mode_t)atoi(step[2]) : 0755, 0));
        attach(clone_tree(stage, own, 0), open_below(root, dest));
    } else if (strcmp(kind, "cover_file") == 0 || strcmp(kind, "mask") == 0) {
        cover(stage, root, dest);
    } else if (strcmp(kind, "proc") == 0) {
        const char* none[] = {NULL};
        attach(new_file_system("proc", none, kSafe | MOUNT_ATTR_NOEXEC), open_below(root, dest));
    } else if (strcmp(kind, "devpts") == 0) {
        const char* options[] = {"newinstance", NULL, "ptmxmode", "0666", "mode", "0620", "gid", "5", NULL};
        attach(new_file_system("devpts", options, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC), open_below(root, dest));
    } else if (strcmp(kind, "read_only_in_place") == 0) {
        const int target = find_below(root, dest);
        if (target < 0) {
            return;
        }
        const int tree = clone_tree(target, "", AT_EMPTY_PATH | AT_RECURSIVE);
        set_attributes(tree, kSafe | MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOEXEC, AT_RECURSIVE);
        attach(tree, target);
    }
}

static void build_root(void) {
    CHECK(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL));
    const char* options[] = {"mode", "0755", NULL};
    const int stage = new_file_system("tmpfs", options, kSafe);
    CHECK(mkdirat(stage, "root", 0755));
    CHECK(mkdirat(stage, "empty", 0555));
    const int nothing = openat(stage, "nothing", O_CREAT | O_EXCL | O_RDONLY | O_CLOEXEC, 0444);
    CHECK(nothing);
    close(nothing);
    const int point = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
    CHECK(point);
    CHECK(syscall(SYS_move_mount, stage, "", point, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH));
    close(point);
    const int root = clone_tree(stage, "root", 0);
    const int place = open_below(stage, "root");
    CHECK(syscall(SYS_move_mount, root, "", place, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH));
    close(place);
    for (int i = 0; i < step_count; ++i) {
        add(stage, root, steps[i], i);
    }
    set_attributes(root, MOUNT_ATTR_RDONLY, 0);
    CHECK(fchdir(root));
    CHECK(syscall(SYS_pivot_root, ".", "."));
    CHECK(umount2(".", MNT_DETACH));
    CHECK(chdir("/"));
}

static void raise_loopback(void) {
    const int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    CHECK(fd);
    struct ifreq request = {.ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING};
    CHECK(ioctl(fd, SIOCSIFFLAGS, &request));
    close(fd);
}

static void give_up_privileges(void) {
    for (int capability = 0; prctl(PR_CAPBSET_READ, capability, 0, 0, 0) >= 0; ++capability) {
        CHECK(prctl(PR_CAPBSET_DROP, capability, 0, 0, 0));
    }
    CHECK(prctl(PR_SET_SECUREBITS,
                SECBIT_NOROOT | SECBIT_NOROOT_LOCKED | SECBIT_NO_SETUID_FIXUP | SECBIT_NO_SETUID_FIXUP_LOCKED |
                    SECBIT_KEEP_CAPS_LOCKED | SECBIT_NO_CAP_AMBIENT_RAISE | SECBIT_NO_CAP_AMBIENT_RAISE_LOCKED,
                0, 0, 0));
    CHECK(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0));
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    const struct __user_cap_data_struct none[2] = {{0}, {0}};
    CHECK(syscall(SYS_capset, &header, none));
    CHECK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
}

/* The program that `sandbox` cached: its count stands 20 bytes into the file, its instructions at the end. */
static struct sock_fprog read_filter(const char* path) {
    static char text[1 << 16];
    struct sock_fprog program = {0};
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    CHECK(fd);
    const ssize_t size = read(fd, text, sizeof text);
    CHECK(size);
    close(fd);
    uint32_t count = 0;
    memcpy(&count, text + 20, sizeof count);
    program.len = (unsigned short)count;
    program.filter = (struct sock_filter*)(uintptr_t)(text + (size_t)size - count * sizeof(struct sock_filter));
    return program;
}

static void run_as_init(char** command, const struct sock_fprog* filter) {
    CHECK(sethostname(word_of("hostname", 1), strlen(word_of("hostname", 1))));
    raise_loopback();
    CHECK(setsid());
    CHECK(syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, NULL));
    const uid_t uid = (uid_t)atoi(word_of("ids", 1));
    const gid_t gid = (gid_t)atoi(word_of("ids", 2));
    CHECK(prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0));
    CHECK(setgroups(0, NULL));
    CHECK(setresgid(gid, gid, gid));
    CHECK(setresuid(uid, uid, uid));
    CHECK(prctl(PR_SET_DUMPABLE, 0, 0, 0, 0));
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct held[2];
    CHECK(syscall(SYS_capget, &header, held));
    held[0].effective = held[0].permitted;
    held[1].effective = held[1].permitted;
    CHECK(syscall(SYS_capset, &header, held));
    CHECK(prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0));
    CHECK(chdir(word_of("workdir", 1)));
    give_up_privileges();
    CHECK(close_range(3, ~0U, 0));
    const pid_t child = vfork();
    CHECK(child);
    if (child == 0) {
        if (setpgid(0, 0) == 0 && syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, filter) == 0) {
            execvp(command[0], command);
        }
        _exit(126);
    }
    for (;;) {
        int status = 0;
        const pid_t ended = wait(&status);
        if (ended == child) {
            _exit(WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status));
        }
        CHECK(ended);
    }
}

int main(int argc, char** argv) {
    if (argc < 3) {
        return 2;
    }
    read_plan(argv[1]);
    const struct sock_fprog filter = read_filter(word_of("filter", 1));
    int proceed[2];
    CHECK(pipe2(proceed, O_CLOEXEC));
    int pidfd = -1;
    const long child = syscall(SYS_clone, CLONE_NEWUSER | CLONE_NEWPID | CLONE_PIDFD | SIGCHLD, 0, &pidfd, 0, 0);
    CHECK(child);
    if (child == 0) {
        close(proceed[1]);
        CHECK(prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0));
        CHECK(unshare(CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWUTS | CLONE_NEWIPC));
        char go = 0;
        CHECK(read(proceed[0], &go, 1) == 1 ? 0 : -1);
        CHECK(unshare(CLONE_NEWCGROUP));
        build_root();
        run_as_init(argv + 2, &filter);
    }
    close(proceed[0]);
    const pid_t uid_helper = start_helper("uid", (pid_t)child);
    const pid_t gid_helper = start_helper("gid", (pid_t)child);
    expect_success(uid_helper);
    expect_success(gid_helper);
    CHECK(write(proceed[1], "g", 1));
    struct pollfd watched = {.fd = pidfd, .events = POLLIN};
    CHECK(poll(&watched, 1, -1));
    int status = 0;
    CHECK(waitpid((pid_t)child, &status, 0));
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}
