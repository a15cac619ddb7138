#include "core/overlay.hpp"

#include <fcntl.h>
#include <linux/mount.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>

#include "core/base/sys.hpp"
#include "core/control.hpp"
#include "core/mount.hpp"

namespace sandbox::overlay {

namespace {

constexpr std::size_t kMostLowerLayers = 500; // the kernel's OVL_MAX_STACK

/// All of one overlay, opened.
struct Opened {
    std::array<Fd, kMostLowerLayers> lower;
    std::size_t count = 0;
    Fd upper;
    Fd work;
};

/// The name of a descriptor below /proc/self/fd.
struct Name {
    char text[12] = {};

    explicit Name(const Fd& fd) : Name(fd.get()) {}
    explicit Name(int fd) { std::to_chars(std::begin(text), std::end(text) - 1, fd); }
};

bool open_all(std::span<const std::string> lower, const Layer& layer, Opened& opened) {
    if (lower.size() > kMostLowerLayers) {
        errno = E2BIG;
        return false;
    }
    for (const std::string& path : lower) {
        Fd& directory = opened.lower[opened.count++];
        directory = mount::open_source(path.c_str());
        if (!directory) {
            return false;
        }
    }
    opened.upper = mount::open_source(layer.upper.c_str());
    opened.work = mount::open_source(layer.work.c_str());
    return opened.upper && opened.work;
}

/// The top of the merged tree looks like the upper layer's; an owner that is not mapped here cannot be given.
bool dress(const Fd& upper, const Fd& below) {
    struct stat status {};
    if (::fstat(below.get(), &status) < 0) {
        return false;
    }
    const bool is_owned = ::fchownat(upper.get(), "", status.st_uid, status.st_gid, AT_EMPTY_PATH) == 0 ||
                          errno == EINVAL || errno == EPERM || errno == EOVERFLOW;
    // fchmod(2) takes no O_PATH descriptor.
    const Fd open(::openat(upper.get(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    return is_owned && open && ::fchmod(open.get(), status.st_mode & 07777U) == 0;
}

int set(const Fd& context, const char* key, const char* value) {
    const unsigned command = value != nullptr ? FSCONFIG_SET_STRING : FSCONFIG_SET_FLAG;
    return sys::result_of(::syscall(SYS_fsconfig, context.get(), command, key, value, 0));
}

/// fsconfig(2) with a `lowerdir+` a layer: Linux 6.7. An older kernel says EINVAL, at the latest when it is to create.
int attach_by_context(const Opened& opened, bool is_kept, int target) {
    const Fd context(sys::result_of(::syscall(SYS_fsopen, "overlay", FSOPEN_CLOEXEC)));
    if (!context) {
        return -1;
    }
    for (std::size_t i = opened.count; i-- > 0;) {
        if (set(context, "lowerdir+", Name(opened.lower[i]).text) < 0) {
            return -1;
        }
    }
    const bool is_set = set(context, "upperdir", Name(opened.upper).text) == 0 &&
                        set(context, "workdir", Name(opened.work).text) == 0 &&
                        set(context, "userxattr", nullptr) == 0 && (is_kept || set(context, "volatile", nullptr) == 0);
    if (!is_set || ::syscall(SYS_fsconfig, context.get(), FSCONFIG_CMD_CREATE, nullptr, nullptr, 0) < 0) {
        return -1;
    }
    const Fd made(
        sys::result_of(::syscall(SYS_fsmount, context.get(), FSMOUNT_CLOEXEC, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV)));
    return made ? mount::attach(made.get(), target) : -1;
}

/// mount(2) takes all options in one page, where 500 short names have room.
class Options {
public:
    void add(const char* text) {
        const std::size_t length = std::strlen(text);
        if (length_ + length >= sizeof text_) {
            is_full_ = true;
            return;
        }
        std::memcpy(text_ + length_, text, length + 1);
        length_ += length;
    }
    [[nodiscard]] bool is_full() const { return is_full_; }
    [[nodiscard]] const char* text() const { return text_; }

private:
    char text_[4096] = {};
    std::size_t length_ = 0;
    bool is_full_ = false;
};

int attach_by_mount(const Opened& opened, bool is_kept, int target) {
    Options options;
    options.add("userxattr,lowerdir=");
    for (std::size_t i = opened.count; i-- > 0;) {
        options.add(Name(opened.lower[i]).text);
        options.add(i > 0 ? ":" : "");
    }
    options.add(",upperdir=");
    options.add(Name(opened.upper).text);
    options.add(",workdir=");
    options.add(Name(opened.work).text);
    options.add(is_kept ? "" : ",volatile");
    if (options.is_full()) {
        errno = E2BIG;
        return -1;
    }
    return ::mount("overlay", Name(target).text, "overlay", MS_NOSUID | MS_NODEV, options.text());
}

} // namespace

int attach_fuse(std::span<const std::string> lower, const Layer& layer, int target, int control) {
    if (layer.is_fresh) {
        const Fd upper = mount::open_source(layer.upper.c_str());
        const Fd below = mount::open_source(lower.back().c_str());
        if (!upper || !below || !dress(upper, below)) {
            return -1;
        }
    }
    // The kernel wants it opened in the user namespace that the mount belongs to.
    const Fd device(::open("/dev/fuse", O_RDWR | O_CLOEXEC));
    if (!device) {
        return -1;
    }
    char uid[12] = {};
    char gid[12] = {};
    std::to_chars(std::begin(uid), std::end(uid) - 1, ::geteuid());
    std::to_chars(std::begin(gid), std::end(gid) - 1, ::getegid());
    const Name number(device);
    const mount::Parameter parameters[] = {{"fd", number.text},      {"rootmode", "40000"},
                                           {"user_id", uid},         {"group_id", gid},
                                           {"allow_other", nullptr}, {"default_permissions", nullptr}};
    const Fd made = mount::make_file_system("fuse", parameters, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV);
    if (!made || mount::attach(made.get(), target) < 0) {
        return -1;
    }
    return control::send_descriptor(control, ChildMessage::Kind::layer, device.get());
}

int attach(std::span<const std::string> lower, const Layer& layer, int descriptors, int target) {
    Opened opened;
    if (!open_all(lower, layer, opened) || ::fchdir(descriptors) < 0) {
        return -1;
    }
    if (layer.is_fresh && !dress(opened.upper, opened.lower[opened.count - 1])) {
        return -1;
    }
    if (attach_by_context(opened, layer.is_kept, target) == 0) {
        return 0;
    }
    return errno == EINVAL ? attach_by_mount(opened, layer.is_kept, target) : -1;
}

} // namespace sandbox::overlay
