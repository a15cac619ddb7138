// Entering the namespaces of a sandbox that runs: setns(2).
#pragma once

#include <array>
#include <span>

#include "core/base/fd.hpp"
#include "core/base/message.hpp"
#include "core/base/step.hpp"
#include "core/namespaces.hpp"

namespace sandbox::namespaces {

/// Opens the namespaces that `supervisor`, another process of the caller's, holds as `descriptors`, in the order of
/// kNamespaceNames. pid 1 itself shows its own to nobody. Whoever calls makes sure that `supervisor` is that process,
/// before and after. \throws Error where one is not there, or not the one that `inodes` tell of.
[[nodiscard]] Opened open_held(pid_t supervisor, std::span<const int> descriptors, const NamespaceInodes& inodes);

/// Which of `namespaces` this process is not in already, by their inodes; in the order of kNamespaceNames.
[[nodiscard]] std::array<bool, kNamespaceNames.size()> differ_from_own(const NamespaceInodes& inodes);

/// Enters those that are `wanted`, the user namespace first: it gives the right to enter the others. The pid namespace
/// is that of the next child. Afterwards the root and the working directory are the sandbox's, and this process has
/// every capability in the user namespace. Before: one thread. Plain code; leaves through `failure`.
void join(const Opened& namespaces, const std::array<bool, kNamespaceNames.size()>& wanted,
          const StepReporter& failure);

} // namespace sandbox::namespaces
