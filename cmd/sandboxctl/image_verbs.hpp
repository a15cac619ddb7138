// The verbs below `sandboxctl image` that are no import.
#pragma once

#include "cmd/sandboxctl/verbs.hpp"

namespace sandbox::ctl {

void add_image_list(CLI::App& image, Action& chosen);   ///< list, inspect
void add_image_remove(CLI::App& image, Action& chosen); ///< remove, prune
void add_image_verify(CLI::App& image, Action& chosen);

} // namespace sandbox::ctl
