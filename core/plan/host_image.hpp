// The image store as a run reads it: DATA_DIR/{references,images/HEX/record,layers/NAME/root}. System calls are made
// here; what changes the store is core/image.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/base/fd.hpp"
#include "core/plan/image.hpp"
#include "core/plan/image_record.hpp"

namespace sandbox {

/// What is told where an image is not in the store.
struct MissingImage {
    bool pull = true;                   ///< that it can be fetched
    std::vector<std::string> said = {}; ///< the names of the command line: none of them was meant by another
};

/// The image that `reference` names: as docker writes it, or an id ("sha256:HEX", or the first digits of HEX, at least
/// four). Files of the store that are not the caller's, or can be written by others, are refused.
/// \param data_dir Host::data_dir.
/// \throws Error naming the nearest reference and `sandboxctl image list`.
[[nodiscard]] Image find_image(const std::string& data_dir, std::string_view reference,
                               const MissingImage& missing = {});

/// Keeps `image remove` and `image prune` from taking the image away while the descriptor is open, in whatever
/// processes: a shared flock(2). \throws Error where the image is gone.
[[nodiscard]] Fd hold_image(const std::string& data_dir, const std::string& id);

/// Says that what is called `user` ("the kept layer 'x'") needs the image until `drop_image_user`. The name must be a
/// file name. Saying so twice is once. \throws Error
void add_image_user(const std::string& data_dir, const std::string& id, const std::string& user);

/// Takes it back; nothing where it was not said, or where the image is gone.
void drop_image_user(const std::string& data_dir, const std::string& id, const std::string& user);

/// Who said so.
[[nodiscard]] std::vector<std::string> image_users(const std::string& data_dir, const std::string& id);

/// What the store lists; nothing where there is no store. \throws Error where the file is not to be trusted.
[[nodiscard]] StoreIndex stored_index(const std::string& data_dir);

/// The record of an image. \throws Error where there is none, or it is not to be trusted.
[[nodiscard]] ImageRecord stored_record(const std::string& data_dir, const std::string& id);

/// The directory that a layer of this name was unpacked into.
[[nodiscard]] std::string layer_root(const std::string& data_dir, const std::string& layer);

/// Reads a file of the store whole. \throws Error where it cannot be had, is longer than `limit`, is no regular file,
/// is another user's, or can be written by others. \param missing where given, set instead where there is no such file.
[[nodiscard]] std::string read_store_file(const std::string& path, std::size_t limit, bool* missing = nullptr);

} // namespace sandbox
