#include "core/private_layers.hpp"

#include <fcntl.h>
#include <sched.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "core/base/child_process.hpp"
#include "core/base/directory.hpp"
#include "core/base/error.hpp"
#include "core/base/sys.hpp"
#include "core/kept_layers.hpp"
#include "core/own_directories.hpp"
#include "core/plan/host_image.hpp"
#include "core/remove_tree.hpp"
#include "core/run_directories.hpp"

namespace sandbox {

namespace {

Error cannot_make(const std::string& path, int error_number) {
    Error error("cannot make the private layer " + quoted(path));
    error.kernel(error_number);
    if (error_number == ENOSPC || error_number == EDQUOT) {
        error.fix("sandboxctl kept lists the layers that are kept, sandboxctl discard removes one");
    }
    return error;
}

void make_directory(const std::string& path) {
    if (::mkdir(path.c_str(), 0700) < 0 && errno != EEXIST) {
        throw cannot_make(path, errno);
    }
}

Fd open_directory(const std::string& path) {
    Fd directory(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (!directory) {
        throw cannot_make(path, errno);
    }
    return directory;
}

/// Empty also where a run was killed before it gave the layer its owner.
bool is_empty(const std::string& path) {
    const auto names = list_directory(path);
    return names && names->empty();
}

/// Files of the layers belong to ids that are ours only in a user namespace. Most runs leave none of others than the
/// caller, and need no process for it.
void remove_in_namespace(const Fd& user_namespace, const Fd& runs, std::vector<std::string> names) {
    std::erase_if(names, [&](const std::string& name) { return remove_tree(runs.get(), name.c_str()) == 0; });
    if (names.empty()) {
        return;
    }
    int pidfd = -1;
    const pid_t pid = sys::clone(0, &pidfd);
    if (pid == 0) {
        if (user_namespace && ::setns(user_namespace.get(), CLONE_NEWUSER) == 0) {
            for (const std::string& name : names) {
                remove_tree(runs.get(), name.c_str());
            }
        }
        ::_exit(0);
    }
    if (pid > 0) {
        ChildProcess(pid, Fd(pidfd)).wait();
    }
}

} // namespace

PrivateLayers::PrivateLayers(const OverlaysPlan& plan, const std::string& data_dir, const std::string& image_id)
    : plan_(plan) {
    if (plan.list.empty()) {
        return;
    }
    if (!image_id.empty()) {
        image_ = hold_image(data_dir, image_id);
    }
    make_own_directories({plan.directory});
    // In /var/tmp a link of somebody else's may lie in its place.
    static_cast<void>(open_directory(plan.directory));
    make_own_directories({plan.directory + "/run"});
    run_directory_ = open_directory(plan.directory + "/run");
    if (plan.keep.empty()) {
        driver_ = overlay::choose_driver(plan, "");
        make_temporary();
    } else {
        open_kept(data_dir, image_id);
    }
}

PrivateLayers::~PrivateLayers() {
    if (!run_directory_) {
        return;
    }
    std::vector<std::string> names;
    if (!name_.empty()) {
        names.push_back(name_);
    }
    const std::vector<RunDirectory> left = find_left_directories(run_directory_);
    for (const RunDirectory& one : left) {
        names.push_back(one.name);
    }
    if (!names.empty()) {
        remove_in_namespace(user_namespace_, run_directory_, names);
    }
}

void remove_run_directories(const std::string& directory, const Fd& user_namespace,
                            const std::vector<std::string>& names) {
    remove_in_namespace(user_namespace, open_directory(directory + "/run"), names);
}

void PrivateLayers::make_temporary() {
    const std::string runs = plan_.directory + "/run";
    RunDirectory own = make_run_directory(runs);
    name_ = std::move(own.name);
    lock_ = std::move(own.lock);
    for (std::size_t i = 0; i < plan_.list.size(); ++i) {
        make_layer(runs + "/" + name_ + "/" + std::to_string(i), false);
    }
}

void PrivateLayers::open_kept(const std::string& data_dir, const std::string& image_id) {
    make_own_directories({kept_directory(plan_.directory)});
    const std::string path = kept_directory(plan_.directory) + "/" + plan_.keep;
    make_directory(path);
    lock_ = lock_kept_layers(path);
    if (!lock_) {
        throw Error(written_at(plan_.keep_origin) + ": cannot use the kept layer " + quoted(plan_.keep))
            .cause("another sandbox runs on it")
            .fix("wait for its end, or keep under another name");
    }
    KeptLayers kept = read_kept_layers(path).value_or(KeptLayers{});
    driver_ = overlay::choose_driver(plan_, kept.driver);
    kept.driver = driver_.through_fuse ? "fuse" : "kernel";
    const std::size_t known = kept.layers.size();
    std::vector<std::string> directories;
    for (const Overlay& overlay : plan_.list) {
        const auto found = std::ranges::find(kept.layers, overlay.name, &KeptLayer::name);
        const auto index = static_cast<std::size_t>(found - kept.layers.begin());
        if (found == kept.layers.end()) {
            kept.layers.push_back({overlay.name, overlay.below});
        } else if (found->below != overlay.below) {
            throw Error(written_at(overlay.origin) + ": cannot use the kept layer " + quoted(plan_.keep))
                .cause("it was made over " + quoted(found->below) + ", and this is " + quoted(overlay.below))
                .fix("keep under another name, or sandboxctl discard " + plan_.keep);
        }
        directories.push_back(path + "/" + std::to_string(index));
    }
    // First what is to be found again, then the directories.
    if (kept.layers.size() != known) {
        if (!image_id.empty()) {
            add_image_user(data_dir, image_id, kept_user_name(plan_.keep));
        }
        write_kept_layers(path, kept);
    }
    for (const std::string& directory : directories) {
        make_layer(directory, true);
    }
}

void PrivateLayers::make_layer(const std::string& directory, bool is_kept) {
    overlay::Layer layer{.upper = directory + "/upper", .work = directory + "/work", .is_kept = is_kept};
    make_directory(directory);
    make_directory(layer.upper);
    make_directory(layer.work);
    layer.is_fresh = !is_kept || is_empty(layer.upper);
    layers_.push_back(std::move(layer));
}

} // namespace sandbox
