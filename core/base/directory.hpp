// What a directory lists.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace sandbox {

/// The names in a directory but "." and "..", sorted. \return nothing, and errno, where it cannot be read: readdir(3).
/// \param most no more are read, whichever come first.
[[nodiscard]] std::optional<std::vector<std::string>> list_directory(int directory, std::size_t most = SIZE_MAX);
/// The same by its path, whose last part is no link.
[[nodiscard]] std::optional<std::vector<std::string>> list_directory(const std::string& path);

} // namespace sandbox
