#include "core/namespaces.hpp"

#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <span>
#include <string>

#include "core/base/error.hpp"
#include "core/base/fd.hpp"
#include "core/control.hpp"

namespace sandbox::namespaces {

std::uint64_t first_flags(const NamespacesPlan& plan) {
    return CLONE_NEWUSER | (plan.pid ? CLONE_NEWPID : 0U);
}

void create(const NamespacesPlan& plan, const StepReporter& failure) {
    const int flags =
        CLONE_NEWNS | (plan.net ? CLONE_NEWNET : 0) | (plan.ipc ? CLONE_NEWIPC : 0) | (plan.uts ? CLONE_NEWUTS : 0);
    failure.at(Step::create_namespaces, ::unshare(flags));
}

void create_cgroup(const NamespacesPlan& plan, const StepReporter& failure) {
    if (plan.cgroup) {
        failure.at(Step::create_cgroup_namespace, ::unshare(CLONE_NEWCGROUP));
    }
}

void make_mounts_private(const StepReporter& failure) {
    failure.at(Step::make_mounts_private, ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr), "/");
}

Fd open_user_namespace(pid_t child) {
    const std::string path = "/proc/" + std::to_string(child) + "/ns/user";
    Fd opened(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (!opened) {
        const int error_number = errno;
        throw Error("cannot open the user namespace of the sandbox").kernel(error_number);
    }
    return opened;
}

Opened open_own(const StepReporter& failure) {
    Opened opened;
    const Fd directory(::open("/proc/self/ns", O_PATH | O_DIRECTORY | O_CLOEXEC));
    failure.at(Step::offer_namespaces, directory.get(), "/proc/self/ns");
    for (std::size_t i = 0; i < opened.size(); ++i) {
        opened[i].reset(::openat(directory.get(), kNamespaceNames[i], O_RDONLY | O_CLOEXEC));
        failure.at(Step::offer_namespaces, opened[i].get(), kNamespaceNames[i]);
    }
    return opened;
}

void offer(int control, const Opened& opened, const Identity& identity, int stage, const StepReporter& failure) {
    std::array<int, kNamespaceNames.size() + 1> numbers{};
    for (std::size_t i = 0; i < opened.size(); ++i) {
        numbers[i] = opened[i].get();
    }
    ChildMessage message{};
    message.kind = ChildMessage::Kind::namespaces;
    message.identity = identity;
    numbers.back() = stage;
    failure.at(Step::offer_namespaces, control::send_descriptors(control, message, numbers));
}

NamespaceInodes inodes_of(const Opened& namespaces) {
    NamespaceInodes inodes{};
    for (std::size_t i = 0; i < inodes.size(); ++i) {
        struct stat status {};
        inodes[i] = ::fstat(namespaces[i].get(), &status) == 0 ? status.st_ino : 0;
    }
    return inodes;
}

} // namespace sandbox::namespaces
