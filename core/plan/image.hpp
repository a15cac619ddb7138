// An image of the store as a run sees it: image-spec's config, and the directories that its layers were unpacked into.
#pragma once

#include <string>
#include <vector>

namespace sandbox {

/// What image-spec's config.md says about a run.
struct ImageConfig {
    std::vector<std::string> environment; ///< "NAME=VALUE"
    std::vector<std::string> entrypoint;
    std::vector<std::string> command;
    std::string workdir;     ///< empty: "/"
    std::string user;        ///< "NAME", "UID", "NAME:GROUP" ...; empty: root
    std::string stop_signal; ///< "SIGTERM", "15"; empty: none is named
    std::string architecture;
    std::string os;

    bool operator==(const ImageConfig&) const = default;
};

/// An image that is there.
struct Image {
    std::string reference;           ///< "docker.io/library/debian:latest"; empty where it was found by its id
    std::string id;                  ///< "sha256:HEX": the digest of its config
    std::vector<std::string> layers; ///< absolute directories, the lowest first
    /// Its files belong to the caller alone: it was imported without a subordinate range. Else owners are kept, under
    /// the map in which the caller is 0 and the subordinate ranges follow.
    bool single_owner = false;
    ImageConfig config;
};

} // namespace sandbox
