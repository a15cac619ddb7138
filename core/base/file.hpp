// Reading and writing whole texts, however often the kernel stops in between.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace sandbox {

/// Writes all of `text`. \return false and errno where that cannot be had: write(2).
[[nodiscard]] bool write_all(int descriptor, std::string_view text);

/// Appends to `text` what `descriptor` holds, up to its end or until `text` has `limit` bytes.
/// \return false and errno where the kernel refuses: read(2).
[[nodiscard]] bool read_all(int descriptor, std::size_t limit, std::string& text);

/// The text of a file that the system keeps small (/proc, /etc/passwd), up to 16 MiB; empty where it cannot be read.
[[nodiscard]] std::string read_small_file(const std::string& path);

/// The first line of such a file, without its end.
[[nodiscard]] std::string read_line(const std::string& path);

/// Makes the directory `path` (absolute) and what is missing above it, mode 0700: mkdir(2). A part that exists, or
/// stands where the caller may not make any, is passed over: who opens the directory finds out.
/// \return 0, or the errno of another failure.
[[nodiscard]] int make_directories(const std::string& path);

} // namespace sandbox
