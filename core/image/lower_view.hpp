// What the layers below the one that is unpacked show together, as an overlay would: whiteouts and opaque directories
// counted.
#pragma once

#include <sys/stat.h>

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/base/fd.hpp"
#include "core/image/layer_path.hpp"

namespace sandbox::image {

/// A name that the lower layers show.
struct LowerEntry {
    Fd file; ///< a regular file or a directory can be read; of anything else it is an O_PATH one
    struct stat status {};

    [[nodiscard]] bool is_directory() const { return S_ISDIR(status.st_mode); }
    [[nodiscard]] bool is_link() const { return S_ISLNK(status.st_mode); }
};

class LowerView {
public:
    /// \param roots the layers' directories, the lowest first. \throws Error where one cannot be opened.
    explicit LowerView(std::span<const std::string> roots);

    /// The entry at `path`; no symbolic link is followed. Nothing where it is not there, or hidden.
    [[nodiscard]] std::optional<LowerEntry> find(const Components& path) const;

private:
    std::vector<Fd> roots_; ///< the topmost first
};

/// A char device 0:0: what the overlay takes for "not there".
[[nodiscard]] bool is_whiteout(const struct stat& status);

} // namespace sandbox::image
