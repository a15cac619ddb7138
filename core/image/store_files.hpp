// Files and directories of the store: written whole or not at all, and removed however deep and closed they are.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/base/fd.hpp"

namespace sandbox::image {

/// The directory of an image, by its id.
[[nodiscard]] std::string image_path(const std::string& id);

/// \throws Error, for all of these.
void make_directory(const std::string& path);
[[nodiscard]] Fd open_directory(const std::string& path);
/// A new file with this content, on the disk.
void write_file(const std::string& path, std::string_view text);
/// rename(2).
void move(const std::string& from, const std::string& to);
/// What the directory lists is on the disk: fsync(2).
void sync_directory(const std::string& path);
/// The names in a directory, sorted; none where there is no such directory.
[[nodiscard]] std::vector<std::string> names_in(const std::string& directory);
[[nodiscard]] bool exists(const std::string& path);

/// Removes a directory with all that is below it, with few descriptors however deep it is. What is gone already is no
/// error; a failure leaves something for the next time.
void remove_tree(const std::string& path);

} // namespace sandbox::image
