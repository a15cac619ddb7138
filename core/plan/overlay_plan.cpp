#include "core/plan/overlay_plan.hpp"

#include <algorithm>
#include <cerrno>
#include <utility>

#include "core/base/error.hpp"
#include "core/plan/one_of.hpp"
#include "core/plan/paths.hpp"

namespace sandbox {

namespace {

using Driver = OverlaysPlan::Driver;

constexpr std::size_t kMostLowerLayers = 500; // the kernel's: OVL_MAX_STACK

Overlay overlay_of_root(const RootChoice& choice) {
    Overlay overlay;
    overlay.name = "root";
    overlay.origin = choice.origin;
    if (choice.image) {
        overlay.lower = choice.image->layers;
        overlay.below = choice.image->id;
    } else {
        overlay.lower = {choice.rootfs};
        overlay.below = choice.rootfs;
    }
    return overlay;
}

Overlay overlay_of(const RootEntry& entry) {
    Overlay overlay;
    overlay.name = entry.source;
    overlay.lower = {entry.source};
    overlay.below = entry.source;
    overlay.origin = entry.origin;
    return overlay;
}

void check_layers(const Overlay& overlay) {
    if (overlay.lower.empty()) {
        throw Error(written_at(overlay.origin) + ": the image has no layer");
    }
    if (overlay.lower.size() > kMostLowerLayers) {
        throw Error(written_at(overlay.origin) + ": the image has " + std::to_string(overlay.lower.size()) + " layers")
            .cause("an overlay takes " + std::to_string(kMostLowerLayers) + ": the kernel's OVL_MAX_STACK")
            .fix("join them: docker export, and sandboxctl image import of the one tarball");
    }
}

void plan_driver(OverlaysPlan& plan, const FilesystemContext& context) {
    const Setting<std::string>& written = context.profile.filesystem.overlay_driver;
    const std::string word = one_of(written, kOverlayDrivers);
    plan.driver = word == "kernel" ? Driver::kernel : word == "fuse" ? Driver::fuse : Driver::automatic;
    plan.driver_origin = written.origin;
    const OverlayFacts facts = context.host.look_at_overlays();
    plan.fuse_program = facts.fuse_overlayfs;
    plan.fuse_error = facts.fuse_error;
    if (plan.driver != Driver::fuse) {
        return;
    }
    if (plan.fuse_program.empty()) {
        throw Error(written_at(written.origin) + ": cannot use fuse-overlayfs")
            .cause("the program is not installed")
            .fix("install the package fuse-overlayfs, or --overlay-driver kernel");
    }
    if (plan.fuse_error != 0) {
        throw Error(written_at(written.origin) + ": cannot use fuse-overlayfs")
            .cause("'/dev/fuse': " + kernel_word(plan.fuse_error))
            .fix(plan.fuse_error == EACCES ? "sudo chmod 0666 /dev/fuse, as udev has it" : "sudo modprobe fuse");
    }
}

void plan_keep(OverlaysPlan& plan, const FilesystemContext& context) {
    const Setting<std::string>& keep = context.profile.filesystem.keep;
    if (!keep) {
        return;
    }
    if (!is_kept_name(*keep.value)) {
        throw Error(written_at(keep.origin) + ": " + quoted(*keep.value) + " cannot be the name of a kept layer")
            .cause("a name has letters, digits, '.', '_' and '-', starts with a letter or digit, and is no longer than "
                   "64");
    }
    if (plan.list.empty()) {
        throw Error(written_at(keep.origin) + ": there is no private layer to keep")
            .fix("--image NAME, --rootfs DIR --writable-root or --overlay PATH make one");
    }
    plan.keep = *keep.value;
    plan.keep_origin = keep.origin;
}

/// The kernel takes no upper layer that lies in a lower one.
void find_directory(OverlaysPlan& plan, FilesystemContext& context) {
    plan.directory = paths::join(context.own.datas.front().real, "private");
    for (const Overlay& overlay : plan.list) {
        const bool holds_it = std::ranges::any_of(
            overlay.lower, [&](const std::string& lower) { return paths::is_within(plan.directory, lower); });
        if (!holds_it) {
            continue;
        }
        if (!plan.keep.empty()) {
            throw Error(written_at(plan.keep_origin) + ": cannot keep the layer over " + quoted(overlay.name))
                .cause("kept layers are in " + quoted(plan.directory) +
                       ", and the kernel takes no layer that lies inside of what it covers")
                .fix("XDG_DATA_HOME=/elsewhere sandbox ..., or lay it over a narrower directory");
        }
        plan.directory = "/var/tmp/sandbox-" + std::to_string(context.host.uid);
        return;
    }
}

} // namespace

bool is_kept_name(std::string_view name) {
    const auto is_plain = [](char byte) {
        return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') || (byte >= '0' && byte <= '9');
    };
    return !name.empty() && name.size() <= 64 && is_plain(name.front()) && std::ranges::all_of(name, [&](char byte) {
        return is_plain(byte) || byte == '.' || byte == '_' || byte == '-';
    });
}

TreeRoot plan_tree_root(const RootChoice& choice) {
    TreeRoot tree;
    tree.directory = choice.has_overlay() ? "" : choice.rootfs;
    tree.writable = choice.writable;
    tree.origin = choice.origin;
    if (choice.image) {
        tree.reference = choice.image->reference;
        tree.id = choice.image->id;
    }
    return tree;
}

OverlaysPlan plan_overlays(FilesystemContext& context, RootPlan& root) {
    OverlaysPlan plan;
    if (context.root.has_overlay()) {
        plan.list.push_back(overlay_of_root(context.root));
    }
    for (RootEntry& entry : root.entries) {
        if (entry.kind == RootEntry::Kind::overlay) {
            entry.overlay = plan.list.size();
            plan.list.push_back(overlay_of(entry));
        }
    }
    for (Overlay& overlay : plan.list) {
        check_layers(overlay);
        // The layers of the store have none.
        overlay.has_mounts =
            overlay.below.starts_with('/') && !context.host.mounts_below(overlay.lower.front()).empty();
    }
    plan_keep(plan, context);
    if (!plan.list.empty()) {
        plan_driver(plan, context);
        find_directory(plan, context);
    } else if (context.profile.filesystem.overlay_driver &&
               context.profile.filesystem.overlay_driver.origin.kind == Origin::Kind::option) {
        throw Error(written_at(context.profile.filesystem.overlay_driver.origin) + " has no effect")
            .cause("there is no private layer")
            .fix("--image NAME, --rootfs DIR --writable-root or --overlay PATH make one");
    }
    return plan;
}

} // namespace sandbox
