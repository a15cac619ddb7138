// `sandboxctl image verify`: the store compared with what it says of itself.
#pragma once

#include <string>
#include <vector>

namespace sandbox::image {

/// Looks at these images (ids), or at all and at the names too; every file of every layer is read. Runs in a worker.
/// \return what is wrong, a line each; empty: nothing
[[nodiscard]] std::vector<std::string> verify_images(const std::vector<std::string>& ids);

} // namespace sandbox::image
