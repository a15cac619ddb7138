// Words about paths, without looking at any file system: what lies in what, and in which order.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace sandbox::paths {

/// The symbolic links that a walk follows before it is a loop, as the kernel has it: path_resolution(7).
constexpr int kMostLinks = 40;

/// Whether `path` is `directory` or lies below it; both absolute and normal.
[[nodiscard]] bool is_within(std::string_view path, std::string_view directory);

/// Whether `path` lies below `directory` and is not `directory` itself.
[[nodiscard]] bool is_below(std::string_view path, std::string_view directory);

/// The part of `path` behind `directory`, starting with "/" or empty; `path` is within `directory`.
[[nodiscard]] std::string_view behind(std::string_view path, std::string_view directory);

/// "/a/b" of "/a/b/c"; "/" of "/a" and of "/".
[[nodiscard]] std::string parent(std::string_view path);

/// `directory` and `name` with one slash between them.
[[nodiscard]] std::string join(std::string_view directory, std::string_view name);

/// The names between the slashes; "." and empty ones are left out, ".." is kept.
[[nodiscard]] std::vector<std::string> components(std::string_view path);

/// How many names `path` has.
[[nodiscard]] std::size_t depth(std::string_view path);

/// Absolute `path` without "//", "/./" and a slash at the end. ".." stays: only a file system can say where it leads.
[[nodiscard]] std::string normal(std::string_view path);

/// Sorts a directory before what it holds, and keeps together what lies in one directory ("/a", "/a/b", "/a-b").
struct Before {
    using is_transparent = void;
    [[nodiscard]] bool operator()(std::string_view left, std::string_view right) const;
};

} // namespace sandbox::paths
