#include "cmd/common/diagnose_tree.hpp"

#include <algorithm>
#include <cerrno>

#include <fmt/format.h>

namespace sandbox {

namespace {

bool mounts_there(Step step) {
    constexpr Step kSteps[] = {Step::make_mount_point, Step::attach_mount, Step::mount_proc,    Step::mount_devpts,
                               Step::mount_sysfs,      Step::cover_path,   Step::enter_workdir, Step::mask_path};
    return std::ranges::find(kSteps, step) != std::end(kSteps);
}

bool add_place_causes(Error& error, int error_number, const TreeRoot& tree) {
    const std::string what = tree.id.empty() ? "the root" : "the image";
    switch (error_number) {
    case ELOOP:
        error.cause(what + " has a symbolic link on the way, where a directory of the sandbox's own belongs");
        return true;
    case EXDEV:
        error.cause(fmt::format("a link of {} leads from there into something else that is mounted", what));
        error.fix("name the place itself, without the link");
        return true;
    case EROFS:
        error.cause(what + " has no such place, and cannot be written");
        error.fix("--writable-root lays a private layer over it");
        return true;
    case ENOTDIR:
    case EEXIST:
        error.cause(what + " has something else in its place");
        return true;
    case ENOENT:
        error.cause(what + " has nothing of that name");
        return true;
    default:
        return false;
    }
}

} // namespace

bool add_tree_causes(Error& error, Step step, int error_number, std::string_view object, const Plan& plan) {
    if (step == Step::lay_over) {
        if (error_number == EMFILE) {
            error.cause("each layer is an open file, and ulimit -n allows too few").fix("ulimit -n 1024");
            return true;
        }
        error.fix("sandboxctl doctor tries the kernel's overlay; --overlay-driver fuse does without");
        return true;
    }
    if (!plan.root.tree) {
        return false;
    }
    if (step == Step::look_up_user && error_number == 0) {
        error.cause(fmt::format("{} is not among its users and groups", quoted(object)));
        error.fix("--user takes a number too: --user 1000:1000");
        return true;
    }
    if ((step == Step::set_ids || step == Step::drop_groups) && (error_number == EINVAL || error_number == EPERM)) {
        error.cause("the id is not mapped: " + std::string(plan.ids.through_helpers
                                                               ? "your subordinate range is too small for it"
                                                               : "the map holds your own id only, as root"));
        error.fix("sandboxctl doctor; --user root needs no other id");
        return true;
    }
    return mounts_there(step) && add_place_causes(error, error_number, *plan.root.tree);
}

} // namespace sandbox
