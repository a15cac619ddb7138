// What lies in the store and is not listed: the rest of imports and removals that were cut off. The store's lock is
// held.
#pragma once

#include <string>
#include <vector>

#include "core/plan/image_record.hpp"

namespace sandbox::image {

/// Removes the directories in incoming/ that no living import holds.
void sweep_incoming();

/// The layers that no listed image needs. \throws Error where an image cannot be read: then nobody knows
[[nodiscard]] std::vector<std::string> unneeded_layers(const StoreIndex& index);

/// Moves the images and layers that are not listed into a new directory, to be removed when the lock is free.
void set_unlisted_aside(const std::string& directory);

} // namespace sandbox::image
