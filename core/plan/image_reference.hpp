// The names of images as docker and podman write them: "debian", "ghcr.io/someone/tool:1.2", "debian@sha256:...".
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace sandbox {

/// A reference in its parts. The grammar is that of distribution's `reference` package.
struct ImageReference {
    std::string domain; ///< "docker.io", "localhost:5000"
    std::string path;   ///< "library/debian"
    std::string tag;    ///< "latest"; empty where a digest stands alone
    std::string digest; ///< "sha256:HEX"; empty: none

    /// "docker.io/library/debian:latest": how the store knows it.
    [[nodiscard]] std::string full() const;
    /// "debian:latest": how a person writes it.
    [[nodiscard]] std::string familiar() const;

    bool operator==(const ImageReference&) const = default;
};

/// Reads a reference and fills in what docker fills in: docker.io, library/, :latest.
/// \throws Error that names the part that is wrong.
[[nodiscard]] ImageReference parse_reference(std::string_view text);

/// As `ImageReference::familiar`, for a full reference of the store; `full` itself where it is none.
[[nodiscard]] std::string familiar_reference(const std::string& full);

inline constexpr std::string_view kSha256 = "sha256:";

/// "sha256:" and 64 lower-case hexadecimal digits.
[[nodiscard]] bool is_digest(std::string_view text);

/// The digits of a digest: what files and directories are named by.
[[nodiscard]] std::string hex_of(std::string_view digest);

/// Lower-case hexadecimal digits only.
[[nodiscard]] bool is_hex(std::string_view text);

} // namespace sandbox
