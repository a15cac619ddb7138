#include "core/confinement.hpp"

#include <fcntl.h>
#include <linux/capability.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <iterator>

#include "core/base/fd.hpp"
#include "core/base/sys.hpp"

namespace sandbox {

namespace {

/// The new root is built over /proc, which is there on every machine that a sandbox starts on.
#define STAGE "/proc"

enum class What : unsigned char { tree, file };

struct Piece {
    const char* source;
    const char* dest;
    What what;
};

/// Where programs and their libraries lie. A link (/bin on merged-usr) becomes the same link.
constexpr Piece kPieces[] = {
    {"/usr", STAGE "/usr", What::tree},           {"/bin", STAGE "/bin", What::tree},
    {"/sbin", STAGE "/sbin", What::tree},         {"/lib", STAGE "/lib", What::tree},
    {"/lib32", STAGE "/lib32", What::tree},       {"/lib64", STAGE "/lib64", What::tree},
    {"/libx32", STAGE "/libx32", What::tree},     {"/nix", STAGE "/nix", What::tree},
    {"/gnu", STAGE "/gnu", What::tree},           {"/etc/ld.so.cache", STAGE "/etc/ld.so.cache", What::file},
    {"/dev/null", STAGE "/dev/null", What::file}, {"/dev/urandom", STAGE "/dev/urandom", What::file},
};

/// What is to be seen, as detached copies: the stage covers nothing that is still needed.
struct Taken {
    int trees[std::size(kPieces)]; ///< below 0: it is not there, or a link
    char links[std::size(kPieces)][PATH_MAX];
};

int take(Taken& taken) {
    for (std::size_t i = 0; i < std::size(kPieces); ++i) {
        taken.trees[i] = -1;
        if (::readlink(kPieces[i].source, taken.links[i], PATH_MAX - 1) >= 0) {
            continue;
        }
        taken.trees[i] = ::open_tree(AT_FDCWD, kPieces[i].source, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE);
        if (taken.trees[i] < 0 && errno != ENOENT) {
            return -1;
        }
    }
    return 0;
}

int put(const Piece& piece, int tree, const char* link) {
    if (link[0] != '\0') {
        return ::symlink(link, piece.dest);
    }
    if (tree < 0) {
        return 0;
    }
    const bool is_made = piece.what == What::tree
                             ? ::mkdir(piece.dest, 0755) == 0
                             : Fd(::open(piece.dest, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0444)).get() >= 0;
    return is_made ? ::move_mount(tree, "", AT_FDCWD, piece.dest, MOVE_MOUNT_F_EMPTY_PATH) : -1;
}

/// Programs look up who they are, or whom they might become, before they ask whether they have to.
int write_names() {
    constexpr const char kUsers[] = "root:x:0:0::/:\nnobody:x:65534:65534::/:\n";
    constexpr const char kGroups[] = "root:x:0:\nnogroup:x:65534:\ndip:x:30:\n";
    const Fd users(::open(STAGE "/etc/passwd", O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0444));
    const Fd groups(::open(STAGE "/etc/group", O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0444));
    const bool written = users && groups && ::write(users.get(), kUsers, sizeof kUsers - 1) > 0 &&
                         ::write(groups.get(), kGroups, sizeof kGroups - 1) > 0;
    return written ? 0 : -1;
}

int build_root() {
    static Taken taken; // too large for a stack; each process that comes here is a new copy, and comes once
    if (::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) < 0 || take(taken) < 0 ||
        ::mount("tmpfs", STAGE, "tmpfs", MS_NOSUID, "mode=0755,size=64k") < 0 || ::mkdir(STAGE "/etc", 0755) < 0 ||
        ::mkdir(STAGE "/dev", 0755) < 0 || write_names() < 0) {
        return -1;
    }
    for (std::size_t i = 0; i < std::size(kPieces); ++i) {
        if (put(kPieces[i], taken.trees[i], taken.links[i]) < 0) {
            return -1;
        }
    }
    return 0;
}

} // namespace

int enter_confinement() {
    if (::unshare(CLONE_NEWNS | CLONE_NEWIPC | CLONE_NEWPID) < 0 || build_root() < 0 || ::chdir(STAGE) < 0 ||
        sys::pivot_root(".", ".") < 0 || ::umount2(".", MNT_DETACH) < 0 || ::chdir("/") < 0) {
        return -1;
    }
    mount_attr attributes{};
    attributes.attr_set = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID;
    return ::mount_setattr(AT_FDCWD, "/", AT_RECURSIVE, &attributes, sizeof attributes);
}

int keep_network_capabilities() {
    constexpr unsigned kKept = (1U << CAP_NET_ADMIN) | (1U << CAP_NET_BIND_SERVICE);
    const auto is_kept = [](int capability) {
        return capability == CAP_NET_ADMIN || capability == CAP_NET_BIND_SERVICE;
    };
    for (int capability = 0; ::prctl(PR_CAPBSET_READ, capability, 0, 0, 0) >= 0; ++capability) {
        if (!is_kept(capability) && ::prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) < 0) {
            return -1;
        }
    }
    __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
    __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = {};
    data[0] = {.effective = kKept, .permitted = kKept, .inheritable = kKept};
    if (::syscall(SYS_capset, &header, data) < 0) {
        return -1;
    }
    for (const int capability : {CAP_NET_ADMIN, CAP_NET_BIND_SERVICE}) {
        if (::prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, capability, 0, 0) < 0) {
            return -1;
        }
    }
    const rlimit nothing{.rlim_cur = 0, .rlim_max = 0};
    if (::setrlimit(RLIMIT_FSIZE, &nothing) < 0 || ::setrlimit(RLIMIT_CORE, &nothing) < 0) {
        return -1;
    }
    return ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
}

} // namespace sandbox
