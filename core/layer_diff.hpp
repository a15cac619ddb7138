// What a private layer says against what lies below it: the marks of overlayfs and of fuse-overlayfs, read.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <vector>

namespace sandbox {

/// Who wrote the layer: each has marks that the other takes for files.
enum class OverlayMarks : std::uint8_t { kernel, fuse };

/// One path that is not as it was.
struct Change {
    enum class Kind : std::uint8_t { added, changed, deleted };

    Kind kind = Kind::added;
    std::string path; ///< from the top of the layer, starting with "/"; any bytes
    mode_t mode = 0;  ///< type and permissions: of what is there now, or was
    std::uint64_t size = 0;

    bool operator==(const Change&) const = default;
};

/// Compares the upper layer `upper` with `lower` (absolute directories, the lowest first), sorted by path. What was
/// opened for writing and has the same type, mode, owner, size, time, content, attributes and link text is not a
/// change. Before: the caller may read all of it, as root of a user namespace that maps the owners may. \throws Error
[[nodiscard]] std::vector<Change> compare_layer(const std::string& upper, const std::vector<std::string>& lower,
                                                OverlayMarks marks);

/// What the files of a directory take on the disk, in bytes, files with several names once. \throws Error
[[nodiscard]] std::uint64_t measure_tree(const std::string& directory);

/// For sending them through a pipe.
[[nodiscard]] std::string to_text(const std::vector<Change>& changes);
/// \throws Error for a text that is none.
[[nodiscard]] std::vector<Change> read_changes(const std::string& text);

} // namespace sandbox
