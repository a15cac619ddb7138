// The directories of a run's private layers: made before it, locked while it lasts, gone afterwards or kept by name.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "core/base/fd.hpp"
#include "core/overlay.hpp"
#include "core/overlay_driver.hpp"
#include "core/plan/plan.hpp"

namespace sandbox {

/// Below OverlaysPlan::directory: run/RANDOM for a run, kept/NAME for what is kept; in each a directory a layer, with
/// `upper` and `work`. A directory whose run lives is locked (flock(2)); one without a lock was left by a run that was
/// killed, and the next run takes it away.
class PrivateLayers {
public:
    /// Makes what the plan asks for; does nothing where it has no overlay. `plan` must outlive it. `image_id` is that
    /// of the root's image, empty where there is none: a kept layer needs it for as long as it is kept. \throws Error
    /// where a kept layer is in use, or has something else below it than before.
    PrivateLayers(const OverlaysPlan& plan, const std::string& data_dir, const std::string& image_id);
    PrivateLayers(const PrivateLayers&) = delete;
    PrivateLayers& operator=(const PrivateLayers&) = delete;
    /// Removes what is not kept, and what killed runs have left. Before: nothing of the sandbox runs any more.
    ~PrivateLayers();

    /// In the order of OverlaysPlan::list.
    [[nodiscard]] std::span<const overlay::Layer> layers() const { return layers_; }
    /// Who joins them: found by trying, where the plan leaves it open; a kept layer stays with the one that it has.
    [[nodiscard]] bool through_fuse() const { return driver_.through_fuse; }
    /// What is worth a remark about that; empty: nothing.
    [[nodiscard]] const std::string& notice() const { return driver_.notice; }

    /// The user namespace in which the files of the layers have their owners: without it those of others than the
    /// caller stay.
    void remember_user_namespace(Fd user_namespace) { user_namespace_ = std::move(user_namespace); }
    [[nodiscard]] const Fd& user_namespace() const { return user_namespace_; }

private:
    void make_temporary();
    void open_kept(const std::string& data_dir, const std::string& image_id);
    void make_layer(const std::string& directory, bool is_kept);

    const OverlaysPlan& plan_;
    std::vector<overlay::Layer> layers_;
    Fd run_directory_; ///< OverlaysPlan::directory/run
    std::string name_; ///< of ours in it; empty: kept
    Fd image_;         ///< held: it is not removed while we run
    Fd lock_;
    overlay::Choice driver_;
    Fd user_namespace_;
};

/// Removes directories below `directory`/run, with files of any owner that `user_namespace` maps.
void remove_run_directories(const std::string& directory, const Fd& user_namespace,
                            const std::vector<std::string>& names);

} // namespace sandbox
