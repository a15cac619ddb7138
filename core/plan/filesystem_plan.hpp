// The new root: what is granted, made private, hidden and protected, as steps for core/root.cpp.
#pragma once

#include <string>
#include <vector>

#include "core/plan/layers.hpp"
#include "core/plan/plan.hpp"
#include "core/plan/root_choice.hpp"

namespace sandbox {

struct FilesystemPlan {
    RootPlan root;
    OverlaysPlan overlays;
    std::string workdir; ///< a directory that stands in the new root
    Origin workdir_origin;
    bool makes_workdir = false;
};

/// \throws Error for a grant that does not exist, must not be shown, contradicts another, or would leave a trace.
[[nodiscard]] FilesystemPlan plan_filesystem(const Profile& profile, const Host& host, const Layers& layers,
                                             const RootChoice& root, const NamespacesPlan& namespaces,
                                             const NetworkPlan& network, std::vector<std::string>& notices);

} // namespace sandbox
