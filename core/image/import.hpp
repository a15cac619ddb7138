// `sandboxctl image import`: the story.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/base/fd.hpp"
#include "core/image/attributes.hpp"
#include "core/image/platform.hpp"
#include "core/image/worker.hpp"

namespace sandbox::image {

struct ImportRequest {
    Fd source; ///< a file, a pipe or a directory
    bool is_directory = false;
    std::uint64_t source_size = 0;    ///< of a regular file; 0: not known
    bool is_regular = false;          ///< then it can be read at any place
    std::string source_name;          ///< for messages, and for a name where nobody gives one
    std::vector<std::string> names;   ///< in full; empty: those that the source gives
    std::optional<Platform> platform; ///< nothing: this machine's, and another where there is no choice
    std::uint64_t max_size = 0;       ///< of what is unpacked
    bool single_owner = false;        ///< asked for, or all that there is
    int terminal = -1;                ///< where the progress is drawn
};

struct ImportedImage {
    std::string id;
    std::vector<std::string> references;
    std::size_t layers = 0;
    std::size_t new_layers = 0; ///< of those, not in the store before
    std::string platform;
    bool is_foreign = false; ///< it is for another machine
};

struct Imported {
    std::vector<ImportedImage> images;
    std::vector<std::string> notes; ///< what could not be kept, a line each
};

/// Makes DATA_DIR where it is missing, and imports in a worker. \throws Error; then the store is as it was.
[[nodiscard]] Imported import_images(const std::string& data_dir, const OwnersPlan& owners,
                                     const ImportRequest& request);

} // namespace sandbox::image
