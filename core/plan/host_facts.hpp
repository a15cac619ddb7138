// The answers of Host::look_up, kept: many rules ask about the same paths, and each answer costs system calls.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "core/plan/host.hpp"

namespace sandbox {

/// Every question about the host's files goes through here. The Host must outlive it.
class HostFacts {
public:
    explicit HostFacts(const Host& host) : host_(host) {}

    /// As Host::look_up. The reference stays good.
    const PathFact& look_up(const std::string& path);

    /// The text of the symbolic link `path` is on the host; nothing where it is none. `path`'s directory is free of
    /// links.
    const std::optional<std::string>& link_at(const std::string& path);

    /// Whether `path` exists, or the caller could make it.
    [[nodiscard]] bool can_exist(const std::string& path);

private:
    const Host& host_;
    std::map<std::string, PathFact> facts_;
    std::map<std::string, std::optional<std::string>> links_;
};

} // namespace sandbox
