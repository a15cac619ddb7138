// The namespaces of the sandbox: namespaces(7), clone(2), unshare(2).
#pragma once

#include <sys/types.h>

#include <array>

#include "core/base/fd.hpp"
#include "core/base/message.hpp"
#include "core/base/step.hpp"
#include "core/plan/plan.hpp"

namespace sandbox::namespaces {

/// The clone(2) flags of the first step: the user namespace and, unless it is shared, the pid namespace that it then
/// owns (the kernel makes the user namespace first), so that the child is pid 1 without another fork.
[[nodiscard]] std::uint64_t first_flags(const NamespacesPlan& plan);

/// Creates mnt and what else the plan does not share, all owned by the user namespace; needs no mapped id. The cgroup
/// namespace is left to `create_cgroup`.
void create(const NamespacesPlan& plan, const StepReporter& failure);

/// Last of all, since its root is the cgroup that the process is in at that moment: cgroup_namespaces(7).
void create_cgroup(const NamespacesPlan& plan, const StepReporter& failure);

/// From here on neither side sees the other's mounts and unmounts: mount_namespaces(7).
void make_mounts_private(const StepReporter& failure);

/// The user namespace of a child that is still dumpable (proc(5), ptrace(2) on access). \throws Error
[[nodiscard]] Fd open_user_namespace(pid_t child);

/// All namespaces of a process, in the order of kNamespaceNames.
using Opened = std::array<Fd, kNamespaceNames.size()>;

/// Those of this process. Before: all of them are made, and the host's /proc is still seen. Plain code; leaves through
/// `failure`.
[[nodiscard]] Opened open_own(const StepReporter& failure);

/// Sends them over `control`, with who CMD is: whoever enters the sandbox later gets them from the supervisor, for pid
/// 1 shows them to nobody. The root's stage goes with them. Plain code; leaves through `failure`.
void offer(int control, const Opened& opened, const Identity& identity, int stage, const StepReporter& failure);

/// The inode numbers that tell such namespaces apart, in the order of kNamespaceNames.
[[nodiscard]] NamespaceInodes inodes_of(const Opened& namespaces);

} // namespace sandbox::namespaces
