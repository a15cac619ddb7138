#include "core/base/step.hpp"

#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "core/base/message.hpp"
#include "core/base/step_clock.hpp"

namespace sandbox {

namespace {

constexpr std::array<std::string_view, static_cast<std::size_t>(Step::count_)> kWords = {
    "create the user namespace",
    "write the uid map of the sandbox",
    "write the gid map of the sandbox",
    "create the namespaces",
    "create the cgroup namespace",
    "make the mounts private",
    "create the new root",
    "open",
    "make read-only",
    "make the mount point",
    "make the link",
    "attach",
    "cover",
    "pin",
    "mount the sandbox's own /proc",
    "mask",
    "mount the sandbox's own /dev/pts",
    "seal the new root",
    "enter the new root",
    "leave the old root",
    "set the hostname",
    "bring the loopback interface up",
    "open a terminal of the sandbox's own",
    "start a new session",
    "join a new session keyring",
    "close inherited descriptors",
    "drop the supplementary groups",
    "take the uid and gid",
    "drop the capabilities",
    "lock the securebits",
    "set no_new_privs",
    "prove the restrictions",
    "enter the working directory",
    "watch the supervisor",
    "start the process of CMD",
    "lock pid 1 into its filter",
    "load the seccomp filter",
    "execute",
};
static_assert(!kWords.back().empty(), "a step without words");

} // namespace

std::string_view words(Step step) {
    return kWords.at(static_cast<std::size_t>(step));
}

void FailurePipe::done(Step step) const {
    if (clock_ != nullptr) {
        clock_->stamp(step);
    }
}

void FailurePipe::leave(Step step, const char* object) const {
    ChildMessage message{};
    message.kind = ChildMessage::Kind::failed;
    message.failure.error_number = errno;
    message.failure.step = step;
    std::strncpy(message.failure.object, object, sizeof message.failure.object - 1);
    // Nobody is left to tell where this fails: the supervisor then sees the end of the pipe.
    const ssize_t sent = ::send(descriptor_, &message, sizeof message, MSG_NOSIGNAL);
    ::_exit(sent < 0 ? 126 : 125);
}

} // namespace sandbox
