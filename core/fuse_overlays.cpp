#include "core/fuse_overlays.hpp"

#include <sys/wait.h>

#include <array>
#include <cerrno>

#include <fmt/format.h>

#include "core/base/error.hpp"
#include "core/mount.hpp"

namespace sandbox {

namespace {

/// The directories of one overlay, opened: the program knows them by number, so that no character of a path matters.
std::vector<Fd> open_layers(const Overlay& overlay, const overlay::Layer& layer) {
    std::vector<std::string> paths(overlay.lower.rbegin(), overlay.lower.rend());
    paths.push_back(layer.upper);
    paths.push_back(layer.work);
    std::vector<Fd> opened;
    for (const std::string& path : paths) {
        opened.push_back(mount::open_source(path.c_str()));
        if (!opened.back()) {
            const int error_number = errno;
            throw Error("cannot open the layer " + quoted(path)).kernel(error_number);
        }
    }
    return opened;
}

constexpr int kFirst = 3; ///< the number of the first of a companion's descriptors

std::string name_of(std::size_t index) {
    return fmt::format("/proc/self/fd/{}", kFirst + static_cast<int>(index));
}

Companion prepare(const std::string& program, const Overlay& overlay, const overlay::Layer& layer) {
    const std::vector<Fd> opened = open_layers(overlay, layer);
    std::vector<int> descriptors;
    std::string options = "lowerdir=";
    for (std::size_t i = 0; i < opened.size(); ++i) {
        descriptors.push_back(opened[i].get());
        if (i < overlay.lower.size()) {
            options += (i == 0 ? "" : ":") + name_of(i);
        }
    }
    options += ",upperdir=" + name_of(overlay.lower.size()) + ",workdir=" + name_of(overlay.lower.size() + 1);
    // libfuse takes /dev/fd/N for a file system that is mounted already.
    const std::string mounted = fmt::format("/dev/fd/{}", kFirst + static_cast<int>(opened.size()));
    return Companion({program, "-f", "-o", options, mounted}, descriptors);
}

} // namespace

FuseOverlays::FuseOverlays(const OverlaysPlan& plan, std::span<const overlay::Layer> layers, bool wanted)
    : program_(plan.fuse_program) {
    if (!wanted) {
        return;
    }
    if (plan.list.size() > kMost) {
        throw Error(fmt::format("cannot serve {} private layers through fuse-overlayfs", plan.list.size()))
            .cause(fmt::format("a sandbox has at most {} of them", kMost))
            .fix("lay one over a directory that holds the others");
    }
    for (std::size_t i = 0; i < plan.list.size(); ++i) {
        served_.emplace_back();
        served_.back().process.emplace(prepare(program_, plan.list[i], layers[i]));
    }
}

std::vector<pid_t> FuseOverlays::pids() const {
    std::vector<pid_t> pids;
    for (const Served& served : served_) {
        pids.push_back(served.process->process().pid());
    }
    return pids;
}

void FuseOverlays::attach(const Fd& fuse, const Fd& user_namespace, bool becomes_root) {
    if (attached_ >= served_.size() || !served_[attached_].process) {
        return; // it has ended already, which is told
    }
    const Surroundings surroundings{.user_namespace = user_namespace.get(),
                                    .becomes = becomes_root ? std::optional(NamespaceIds{}) : std::nullopt};
    const std::array descriptors = {fuse.get()};
    served_[attached_++].process->start(surroundings, descriptors);
}

void FuseOverlays::watch(pollfd* watched) const {
    for (std::size_t i = 0; i < served_.size(); ++i) {
        const Served& served = served_[i];
        watched[2 * i].fd = served.process && served.stream_open ? served.process->output() : -1;
        watched[2 * i + 1].fd = served.process ? served.process->process().pidfd() : -1;
    }
}

void FuseOverlays::serve(const pollfd* watched) {
    for (std::size_t i = 0; i < served_.size(); ++i) {
        Served& served = served_[i];
        if (served.process && watched[2 * i].revents != 0) {
            served.stream_open = served.process->drain();
        }
        if (served.process && watched[2 * i + 1].revents != 0) {
            const HelperResult result = served.process->finish();
            served.process.reset();
            was_killed_ = was_killed_ || WIFSIGNALED(result.status);
            end_ = end_.empty() ? fmt::format("{}: {}", quoted(program_), how_it_ended(result)) : end_;
        }
    }
}

} // namespace sandbox
