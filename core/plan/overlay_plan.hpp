// The private layers of a run: filesystem.overlay, overlay-driver, keep, and the layer over an image or a directory.
#pragma once

#include "core/plan/filesystem_context.hpp"
#include "core/plan/plan.hpp"

namespace sandbox {

/// The base of a root that is a tree of its own.
[[nodiscard]] TreeRoot plan_tree_root(const RootChoice& choice);

/// The overlays that `root` needs, its own first; writes the number of each into its entry.
/// \throws Error for a name that no kept layer can have, a `keep` without any overlay, a driver that is not there.
[[nodiscard]] OverlaysPlan plan_overlays(FilesystemContext& context, RootPlan& root);

/// Whether `name` can be that of a kept layer: letters, digits, ".", "_" and "-", the first a letter or digit.
[[nodiscard]] bool is_kept_name(std::string_view name);

} // namespace sandbox
