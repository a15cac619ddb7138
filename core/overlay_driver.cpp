#include "core/overlay_driver.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <algorithm>
#include <cerrno>
#include <set>

#include <fmt/format.h>

#include "core/base/child_process.hpp"
#include "core/base/error.hpp"
#include "core/base/fd.hpp"
#include "core/base/file.hpp"

namespace sandbox::overlay {

namespace {

using Driver = OverlaysPlan::Driver;

/// The file systems that take part, on this boot of this kernel.
std::string combination(const std::string& directory, const std::vector<Overlay>& overlays) {
    std::set<dev_t> devices;
    const auto add = [&](const std::string& path) {
        struct stat status {};
        devices.insert(::stat(path.c_str(), &status) == 0 ? status.st_dev : 0);
    };
    for (const Overlay& overlay : overlays) {
        std::ranges::for_each(overlay.lower, add);
    }
    struct stat own {};
    std::string key = read_line("/proc/sys/kernel/random/boot_id");
    key += fmt::format(" {}", ::stat(directory.c_str(), &own) == 0 ? own.st_dev : 0);
    for (const dev_t device : devices) {
        key += fmt::format(" {}", device);
    }
    return key;
}

bool has_line(const std::string& text, const std::string& line) {
    return text.starts_with(line + "\n") || text.find("\n" + line + "\n") != std::string::npos;
}

const Overlay* with_mounts(const OverlaysPlan& plan) {
    const auto found = std::ranges::find(plan.list, true, &Overlay::has_mounts);
    return found == plan.list.end() ? nullptr : &*found;
}

std::string why_not_kernel(const OverlaysPlan& plan) {
    if (const Overlay* overlay = with_mounts(plan)) {
        return fmt::format("other file systems are mounted inside of {}: the kernel's overlay shows one only",
                           quoted(overlay->lower.back()));
    }
    return try_kernel_once(plan.directory, plan.list);
}

std::string why_not_fuse(const OverlaysPlan& plan) {
    if (plan.fuse_program.empty()) {
        return "fuse-overlayfs is not installed";
    }
    if (plan.fuse_error != 0) {
        return "fuse-overlayfs cannot open '/dev/fuse': " + kernel_word(plan.fuse_error);
    }
    const std::string version = fuse_version(plan.fuse_program);
    return is_broken_fuse_version(version) ? fmt::format("fuse-overlayfs {} writes wrong data (its issue 475)", version)
                                           : "";
}

Error cannot_join(const OverlaysPlan& plan) {
    return Error("cannot join the layers of " + quoted(plan.list.front().name));
}

/// What helps, by what was found.
Error with_fixes(Error error, const OverlaysPlan& plan) {
    if (const Overlay* overlay = with_mounts(plan)) {
        error.fix("lay it over a directory without mounts inside: --overlay " + shell_quoted(overlay->lower.back()) +
                  "/...");
    } else {
        error.fix("put the state of sandbox on another file system: XDG_DATA_HOME=/elsewhere sandbox ...");
    }
    if (plan.fuse_program.empty()) {
        error.fix("install the package fuse-overlayfs");
    } else if (plan.fuse_error == EACCES) {
        error.fix("sudo chmod 0666 /dev/fuse, as udev has it");
    }
    return error;
}

Choice forced_fuse(const OverlaysPlan& plan) {
    const std::string version = fuse_version(plan.fuse_program);
    return {.through_fuse = true,
            .notice = is_broken_fuse_version(version)
                          ? fmt::format("fuse-overlayfs {} is known to write wrong data (its issue 475)", version)
                          : ""};
}

} // namespace

std::string try_kernel_once(const std::string& directory, const std::vector<Overlay>& overlays) {
    const std::string file = directory + "/kernel-overlay-works";
    const std::string key = combination(directory, overlays);
    if (has_line(read_small_file(file), key)) {
        return "";
    }
    std::string why = try_kernel(directory, overlays);
    if (why.empty()) {
        const Fd opened(::open(file.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_CLOEXEC, 0600));
        // What cannot be kept is tried again.
        [[maybe_unused]] const bool kept = opened && write_all(opened.get(), key + "\n");
    }
    return why;
}

std::string fuse_version(const std::string& program) {
    constexpr std::string_view kName = "fuse-overlayfs: version ";
    std::string said;
    try {
        said = Helper({program, "--version"}, STDOUT_FILENO).finish().said;
    } catch (const Error&) {
        return ""; // the start of it will say more
    }
    const std::size_t at = said.find(kName);
    if (at == std::string::npos) {
        return "";
    }
    const std::size_t start = at + kName.size();
    return said.substr(start, said.find_first_not_of("0123456789.", start) - start);
}

bool is_broken_fuse_version(std::string_view version) {
    return version == "1.16" || version.starts_with("1.16.");
}

Choice choose_driver(const OverlaysPlan& plan, std::string_view kept_driver) {
    const bool keeps_fuse = kept_driver == "fuse";
    const bool keeps_kernel = kept_driver == "kernel";
    if ((plan.driver == Driver::fuse && keeps_kernel) || (plan.driver == Driver::kernel && keeps_fuse)) {
        throw Error(fmt::format("{}: cannot use the kept layer {}", written_at(plan.driver_origin), quoted(plan.keep)))
            .cause(keeps_fuse ? "it was written through fuse-overlayfs, whose marks the kernel does not know"
                              : "it was written through the kernel's overlay, whose marks fuse-overlayfs may miss")
            .fix(keeps_fuse ? "--overlay-driver fuse" : "--overlay-driver kernel");
    }
    if (plan.driver == Driver::fuse) {
        return forced_fuse(plan);
    }
    std::string not_kernel = keeps_fuse ? "the kept layer was written through fuse-overlayfs" : why_not_kernel(plan);
    if (not_kernel.empty()) {
        return {};
    }
    Error error = cannot_join(plan).cause(not_kernel);
    if (plan.driver == Driver::kernel || keeps_kernel) {
        throw with_fixes(std::move(error), plan);
    }
    const std::string not_fuse = why_not_fuse(plan);
    if (!not_fuse.empty()) {
        throw with_fixes(std::move(error).cause(not_fuse), plan);
    }
    return {.through_fuse = true,
            .notice = keeps_fuse ? ""
                                 : fmt::format("fuse-overlayfs joins the layers, with faults of its own (WHO JOINS "
                                               "THE LAYERS in sandbox-images(7)): {}",
                                               not_kernel)};
}

} // namespace sandbox::overlay
