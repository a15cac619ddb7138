#include "core/namespaces.hpp"

#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include <cstddef>

namespace sandbox::namespaces {

std::uint64_t first_flags(const NamespacesPlan& plan) {
    return CLONE_NEWUSER | (plan.pid ? CLONE_NEWPID : 0U);
}

void create(const NamespacesPlan& plan, const FailurePipe& failure) {
    const int flags = CLONE_NEWNS | (plan.net ? CLONE_NEWNET : 0) | (plan.ipc ? CLONE_NEWIPC : 0) |
                      (plan.uts ? CLONE_NEWUTS : 0);
    failure.at(Step::create_namespaces, ::unshare(flags));
}

void create_cgroup(const NamespacesPlan& plan, const FailurePipe& failure) {
    if (plan.cgroup) {
        failure.at(Step::create_cgroup_namespace, ::unshare(CLONE_NEWCGROUP));
    }
}

void make_mounts_private(const FailurePipe& failure) {
    failure.at(Step::make_mounts_private, ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr), "/");
}

void read_inodes(std::uint64_t (&inodes)[7]) {
    constexpr const char* kPaths[] = {"/proc/self/ns/user", "/proc/self/ns/pid", "/proc/self/ns/net",   "/proc/self/ns/mnt",
                                      "/proc/self/ns/uts",  "/proc/self/ns/ipc", "/proc/self/ns/cgroup"};
    for (std::size_t i = 0; i < std::size(kPaths); ++i) {
        struct stat status{};
        inodes[i] = ::stat(kPaths[i], &status) == 0 ? status.st_ino : 0;
    }
}

} // namespace sandbox::namespaces
