// A program of ours that CMD talks to is held as CMD is: a root of its own with the system's programs and nothing else,
// no other process in sight, no capability but over the network.
#pragma once

namespace sandbox {

/// Before: every capability in the user namespace, and the ids that the program is to have. After: a read-only root
/// that holds the system's programs and libraries, and new mount, ipc and pid namespaces, the last one for the next
/// child. Plain code. \return 0, or -1 and errno.
[[nodiscard]] int enter_confinement();

/// Keeps CAP_NET_ADMIN and CAP_NET_BIND_SERVICE, across execve too, and no other, for good; no_new_privs; no file can
/// be written. Plain code. \return 0, or -1 and errno.
[[nodiscard]] int keep_network_capabilities();

} // namespace sandbox
