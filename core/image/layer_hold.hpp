// Who uses a layer of the store: an import builds on it until its image is listed, and a layer that vanished under it
// would make it forget what a whiteout hides. A lock on the layer's directory tells; it ends with the process.
#pragma once

#include <string>

#include "core/base/fd.hpp"

namespace sandbox::image {

/// Keeps the layer in its place while the result is open. \return none where it is not there, or about to go.
/// \throws Error
[[nodiscard]] Fd hold_layer(const std::string& name);

/// Moves the layer out of layers/, unless somebody holds it: then the next import or removal finds it again.
/// Before: the store is locked. \return whether it went. \throws Error
bool move_layer_away(const std::string& name, const std::string& to);

} // namespace sandbox::image
