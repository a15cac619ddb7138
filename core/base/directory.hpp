// What a directory lists.
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace sandbox {

/// The names in a directory but "." and "..", sorted. \return nothing, and errno, where it cannot be read: readdir(3).
[[nodiscard]] std::optional<std::vector<std::string>> list_directory(int directory);
/// The same by its path, whose last part is no link.
[[nodiscard]] std::optional<std::vector<std::string>> list_directory(const std::string& path);

} // namespace sandbox
