// Who joins the layers of a run: the kernel's overlayfs where it works, else fuse-overlayfs(1). Found by trying.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/plan/plan.hpp"

namespace sandbox::overlay {

/// Tries the kernel's overlay in a user and mount namespace made for it, below `directory` (OverlaysPlan::directory):
/// an opaque directory must hide, a whiteout too, a merged directory must be removable and come back empty, and the
/// lower layers of `overlays` must be taken. A mount that is made proves little: one that passes over marks shows what
/// they hide. \return why it does not work; empty where it does.
[[nodiscard]] std::string try_kernel(const std::string& directory, const std::vector<Overlay>& overlays);

/// As try_kernel, once a boot for each combination of file systems: the answer that it works is kept in `directory`.
[[nodiscard]] std::string try_kernel_once(const std::string& directory, const std::vector<Overlay>& overlays);

/// The version that `fuse-overlayfs --version` names, "1.10"; empty where it names none.
[[nodiscard]] std::string fuse_version(const std::string& program);

/// 1.16 writes wrong data: fuse-overlayfs issue 475.
[[nodiscard]] bool is_broken_fuse_version(std::string_view version);

struct Choice {
    bool through_fuse = false;
    std::string notice; ///< for the user; empty: there is nothing to say
};

/// \param kept_driver "kernel" or "fuse", with which the kept layers were written; empty where there are none.
/// \throws Error where none of those that the plan allows works.
[[nodiscard]] Choice choose_driver(const OverlaysPlan& plan, std::string_view kept_driver);

} // namespace sandbox::overlay
