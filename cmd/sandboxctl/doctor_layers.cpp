// The checks of sandboxctl doctor about layers and images: the overlay drivers, the room on the disk, skopeo.
#include <sys/statvfs.h>

#include <cerrno>

#include <fmt/format.h>

#include "cmd/sandboxctl/doctor_layers.hpp"
#include "core/base/error.hpp"
#include "core/overlay_driver.hpp"
#include "core/own_directories.hpp"
#include "core/plan/host_paths.hpp"
#include "core/plan/size.hpp"

namespace sandbox::ctl {

namespace {

using State = Check::State;

Check kernel_overlay(const Host& host) {
    Check check{"overlay", "the kernel's overlay works for private layers", State::ok, "", ""};
    const std::string directory = host.data_dir + "/private";
    try {
        make_own_directories({directory, directory + "/run"});
        check.why = overlay::try_kernel(directory, {});
    } catch (const Error& error) {
        check.why = error.summary();
    }
    if (!check.why.empty()) {
        check.state = State::warning;
        check.fix = "put the state of sandbox on another file system (XDG_DATA_HOME), or have fuse-overlayfs";
    }
    return check;
}

Check fuse(const Host& host) {
    Check check{"fuse-overlayfs", "fuse-overlayfs can serve what the kernel's overlay does not take", State::ok, "",
                ""};
    const OverlayFacts facts = host.look_at_overlays();
    const std::string version = facts.fuse_overlayfs.empty() ? "" : overlay::fuse_version(facts.fuse_overlayfs);
    if (facts.fuse_overlayfs.empty()) {
        check.why = "fuse-overlayfs is not installed";
        check.fix = "install the package fuse-overlayfs";
    } else if (facts.fuse_error != 0) {
        check.why = "/dev/fuse cannot be opened: " + kernel_word(facts.fuse_error);
        check.fix = facts.fuse_error == EACCES ? "sudo chmod 0666 /dev/fuse, as udev has it" : "sudo modprobe fuse";
    } else if (overlay::is_broken_fuse_version(version)) {
        check.why = fmt::format("fuse-overlayfs {} writes wrong data (its issue 475)", version);
        check.fix = "install another version";
    }
    check.state = check.why.empty() ? State::ok : State::warning;
    return check;
}

Check disk_space(const Host& host) {
    constexpr std::uint64_t kWanted = std::uint64_t{1} << 30U;
    Check check{"disk-space", "there is room for images and layers", State::ok, "", ""};
    struct statvfs status {};
    const std::string& path = host.look_up(host.data_dir).kind == PathFact::Kind::directory ? host.data_dir : host.home;
    if (::statvfs(path.c_str(), &status) != 0) {
        return check;
    }
    const std::uint64_t free = std::uint64_t{status.f_bavail} * status.f_frsize;
    if (free < kWanted || (status.f_files != 0 && status.f_favail < 10'000)) {
        check.state = State::warning;
        check.why = fmt::format("{} has {} and {} files left", quoted(path), size_words(free), status.f_favail);
        check.fix = "sandboxctl image prune, sandboxctl kept and discard; or XDG_DATA_HOME on another disk";
    }
    return check;
}

Check skopeo() {
    Check check{"skopeo", "images can be pulled from registries", State::ok, "", ""};
    if (host::find_helper("skopeo").empty()) {
        check.state = State::warning;
        check.why = "skopeo is not installed, and sandboxctl image pull fetches with it";
        check.fix = "install the package skopeo; sandboxctl image import works without it";
    }
    return check;
}

} // namespace

std::vector<Check> layer_checks(const Host& host) {
    return {kernel_overlay(host), fuse(host), disk_space(host), skopeo()};
}

} // namespace sandbox::ctl
