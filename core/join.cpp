#include "core/join.hpp"

#include <fcntl.h>
#include <linux/magic.h>
#include <sched.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include <cerrno>
#include <string>

#include <fmt/format.h>

#include "core/base/error.hpp"

namespace sandbox::namespaces {

namespace {

constexpr std::array kFlags = {CLONE_NEWUSER, CLONE_NEWPID, CLONE_NEWNET,   CLONE_NEWNS,
                               CLONE_NEWUTS,  CLONE_NEWIPC, CLONE_NEWCGROUP};
static_assert(kFlags.size() == kNamespaceNames.size());

bool is_namespace(const Fd& opened, std::uint64_t inode) {
    struct statfs file_system {};
    struct stat status {};
    return ::fstatfs(opened.get(), &file_system) == 0 && file_system.f_type == NSFS_MAGIC &&
           ::fstat(opened.get(), &status) == 0 && status.st_ino == inode;
}

} // namespace

Opened open_held(pid_t supervisor, std::span<const int> descriptors, const NamespaceInodes& inodes) {
    Opened opened;
    for (std::size_t i = 0; i < opened.size(); ++i) {
        const std::string path = fmt::format("/proc/{}/fd/{}", supervisor, descriptors[i]);
        // O_NONBLOCK: should it be something else, a fifo for one, opening it must not wait.
        opened[i].reset(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
        if (!opened[i]) {
            const int error_number = errno;
            throw Error(fmt::format("cannot open the sandbox's {} namespace {}", kNamespaceNames[i], quoted(path)))
                .kernel(error_number);
        }
        if (!is_namespace(opened[i], inodes[i])) {
            throw Error(fmt::format("cannot find the sandbox's {} namespace", kNamespaceNames[i]))
                .cause(quoted(path) + " is not what the record says");
        }
    }
    return opened;
}

std::array<bool, kNamespaceNames.size()> differ_from_own(const NamespaceInodes& inodes) {
    std::array<bool, kNamespaceNames.size()> differ{};
    for (std::size_t i = 0; i < inodes.size(); ++i) {
        struct stat own {};
        const std::string path = fmt::format("/proc/self/ns/{}", kNamespaceNames[i]);
        differ[i] = ::stat(path.c_str(), &own) < 0 || own.st_ino != inodes[i];
    }
    return differ;
}

void join(const Opened& namespaces, const std::array<bool, kNamespaceNames.size()>& wanted,
          const StepReporter& failure) {
    static_assert(kFlags.front() == CLONE_NEWUSER);
    for (std::size_t i = 0; i < namespaces.size(); ++i) {
        if (wanted[i]) {
            failure.at(Step::join_namespace, ::setns(namespaces[i].get(), kFlags[i]), kNamespaceNames[i]);
        }
    }
}

} // namespace sandbox::namespaces
