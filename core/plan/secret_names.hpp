// The names that a private home watches: where people keep what opens other doors.
#pragma once

#include <cstdint>
#include <span>

namespace sandbox {

/// One name of the list.
struct SecretName {
    enum class Kind : std::uint8_t { file, directory };

    Kind kind = Kind::file;
    const char* path = ""; ///< below the home: ".config/gh"
};

/// The list is the same on every machine, whatever its user has: it betrays nothing of him.
[[nodiscard]] std::span<const SecretName> secret_names();

} // namespace sandbox
