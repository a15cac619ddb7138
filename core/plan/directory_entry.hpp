// What a directory of the host holds, for who must not grant it with all of that.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace sandbox {

struct DirectoryEntry {
    std::string name;
    bool is_socket = false;
};

/// The names in a directory; nothing where they cannot be read, or are too many to look at.
using ListDirectory = std::function<std::optional<std::vector<DirectoryEntry>>(const std::string& path)>;

} // namespace sandbox
