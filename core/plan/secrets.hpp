// What no profile should grant by the way: where people keep secrets, what their session runs or obeys by itself, and
// the sockets of daemons that are root.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace sandbox {

/// The paths below a home that hold keys, tokens or sessions: ".ssh", ".config/gh".
[[nodiscard]] const std::vector<std::string>& secret_places();

/// "id_ed25519", "certs/server.pem"; not "id_ed25519.pub", "id_map.c".
[[nodiscard]] bool is_named_like_a_key(std::string_view path);

/// Whether `path` is one of them in `home`, lies in one, or is named like a private key.
[[nodiscard]] bool is_secret_of(const std::string& path, const std::string& home);

/// Whether `path` in `home` is something that the user's shells, session and tools run or obey by themselves.
[[nodiscard]] bool is_run_outside(const std::string& path, const std::string& home);

/// Whether `path` is a socket that rules a daemon of the system's, or the directory of one.
[[nodiscard]] bool is_daemon_socket(const std::string& path);

/// The secret place that lies below `directory`, as "~/.config/gh" has it behind the "~/"; empty where none does.
[[nodiscard]] std::string secret_below(const std::string& directory, const std::string& home);

} // namespace sandbox
