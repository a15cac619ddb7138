#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include <fmt/format.h>

#include "core/base/child_process.hpp"
#include "core/base/error.hpp"
#include "core/base/fd.hpp"
#include "core/base/file.hpp"
#include "core/base/pipe.hpp"
#include "core/base/sys.hpp"
#include "core/mount.hpp"
#include "core/overlay.hpp"
#include "core/overlay_driver.hpp"
#include "core/remove_tree.hpp"
#include "core/run_directories.hpp"

namespace sandbox::overlay {

namespace {

/// What went wrong, from the trial's process.
struct Report {
    const char* what = nullptr; ///< a literal, so it means the same on both sides; null: nothing did
    int error_number = 0;
};

/// In a process of its own, in the new directory `top`.
class Trial {
public:
    Trial(std::string top, uid_t uid, gid_t gid) : top_(std::move(top)), uid_(uid), gid_(gid) {}

    Report run(const std::vector<Overlay>& overlays) {
        static_cast<void>(enter() && make_layers() && see_marks() && remove_directory() && take(overlays));
        return report_;
    }

private:
    bool check(bool holds, const char* what) {
        if (!holds && report_.what == nullptr) {
            report_ = {what, errno};
        }
        return holds;
    }

    [[nodiscard]] std::string at(const char* name) const { return top_ + "/" + name; }

    bool enter() {
        const auto write_file = [](const char* path, const std::string& text) {
            const Fd file(::open(path, O_WRONLY | O_CLOEXEC));
            return file && write_all(file.get(), text);
        };
        descriptors_.reset(::open("/proc/self/fd", O_PATH | O_DIRECTORY | O_CLOEXEC));
        return check(::unshare(CLONE_NEWUSER | CLONE_NEWNS) == 0, "no namespace can be made for a trial") &&
               check(write_file("/proc/self/setgroups", "deny") &&
                         write_file("/proc/self/uid_map", fmt::format("0 {} 1", uid_)) &&
                         write_file("/proc/self/gid_map", fmt::format("0 {} 1", gid_)),
                     "no id can be mapped for a trial") &&
               check(::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0, "no mount can be made private");
    }

    bool make_layers() {
        for (const char* name : {"low", "low/d", "high", "high/d", "upper", "work", "merged"}) {
            if (!check(::mkdir(at(name).c_str(), 0755) == 0, "no directory can be made")) {
                return false;
            }
        }
        for (const char* name : {"low/d/hidden", "low/gone", "high/d/own"}) {
            const Fd file(::open(at(name).c_str(), O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0644));
            if (!check(static_cast<bool>(file), "no file can be made")) {
                return false;
            }
        }
        return check(::mknod(at("high/gone").c_str(), S_IFCHR, 0) == 0, "no whiteout can be made there") &&
               check(::setxattr(at("high/d").c_str(), "user.overlay.opaque", "y", 1, 0) == 0,
                     "the file system takes no user.overlay.opaque");
    }

    bool attach(const std::vector<std::string>& lower, const char* upper, const char* work, const char* target) {
        const Fd place = mount::open_source(at(target).c_str());
        const Layer layer{.upper = at(upper), .work = at(work), .is_fresh = false};
        return place && overlay::attach(lower, layer, descriptors_.get(), place.get()) == 0;
    }

    bool see_marks() {
        const auto exists = [this](const char* name) {
            struct stat status {};
            return ::lstat(at(name).c_str(), &status) == 0;
        };
        return check(attach({at("low"), at("high")}, "upper", "work", "merged"),
                     "the kernel's overlay cannot be mounted") &&
               check(exists("merged/d/own"), "the kernel's overlay shows no layer") &&
               check(!exists("merged/d/hidden"), "the kernel's overlay shows what an opaque directory hides") &&
               check(!exists("merged/gone"), "the kernel's overlay shows what a whiteout hides");
    }

    bool remove_directory() {
        return check(::unlink(at("merged/d/own").c_str()) == 0 && ::rmdir(at("merged/d").c_str()) == 0,
                     "the kernel's overlay removes no directory") &&
               check(::mkdir(at("merged/d").c_str(), 0755) == 0 && ::rmdir(at("merged/d").c_str()) == 0,
                     "the kernel's overlay shows what was removed again");
    }

    /// The layers themselves: their file system may be one that the kernel refuses.
    bool take(const std::vector<Overlay>& overlays) {
        for (const Overlay& overlay : overlays) {
            const std::string number = std::to_string(taken_++);
            const std::array<std::string, 3> names = {"u" + number, "w" + number, "m" + number};
            for (const std::string& name : names) {
                ::mkdir(at(name.c_str()).c_str(), 0755);
            }
            if (!check(attach(overlay.lower, names[0].c_str(), names[1].c_str(), names[2].c_str()),
                       "the kernel's overlay does not take the layers")) {
                return false;
            }
        }
        return true;
    }

    std::string top_;
    uid_t uid_;
    gid_t gid_;
    Fd descriptors_;
    Report report_;
    unsigned taken_ = 0;
};

} // namespace

std::string try_kernel(const std::string& directory, const std::vector<Overlay>& overlays) {
    const std::string runs = directory + "/run";
    const RunDirectory own = make_run_directory(runs);
    const std::string top = runs + "/" + own.name;
    Pipe pipe = make_pipe("the trial of the kernel's overlay");
    int pidfd = -1;
    const pid_t pid = sys::clone(0, &pidfd);
    if (pid == 0) {
        const Report report = Trial(top, ::geteuid(), ::getegid()).run(overlays);
        [[maybe_unused]] const ssize_t written = ::write(pipe.write_end.get(), &report, sizeof report);
        ::_exit(0);
    }
    Report report{"no process can be made for a trial", errno};
    if (pid > 0) {
        pipe.write_end.reset();
        ChildProcess child(pid, Fd(pidfd));
        report.what = "the trial of the kernel's overlay ended without a word";
        [[maybe_unused]] const ssize_t count = ::read(pipe.read_end.get(), &report, sizeof report);
        child.wait();
    }
    const Fd parent(::open(runs.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    remove_tree(parent.get(), own.name.c_str());
    if (report.what == nullptr) {
        return "";
    }
    return report.error_number == 0 ? report.what
                                    : fmt::format("{}: {}", report.what, kernel_word(report.error_number));
}

} // namespace sandbox::overlay
