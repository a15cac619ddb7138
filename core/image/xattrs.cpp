#include "core/image/xattrs.hpp"

#include <fcntl.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <exception>
#include <functional>
#include <string_view>

#include "core/base/fd.hpp"

namespace sandbox::image {

namespace {

/// A link's attributes are reached by a path alone, so for a moment its directory is the current one.
class InDirectory {
public:
    explicit InDirectory(int directory)
        : before_(::open(".", O_PATH | O_DIRECTORY | O_CLOEXEC)), entered_(before_ && ::fchdir(directory) == 0) {}
    ~InDirectory() {
        if (entered_ && ::fchdir(before_.get()) < 0) {
            std::terminate(); // every path would mean another file from here on
        }
    }
    InDirectory(const InDirectory&) = delete;
    InDirectory& operator=(const InDirectory&) = delete;

    [[nodiscard]] bool entered() const { return entered_; }

private:
    Fd before_;
    bool entered_;
};

/// llistxattr and lgetxattr, or their kin: a first call for the size, a second for the value.
using Read = std::function<ssize_t(const char* name, char* buffer, std::size_t size)>;

bool read_sized(const Read& read, const char* name, std::string& value) {
    value.resize(256);
    ssize_t size = read(name, value.data(), value.size());
    while (size < 0 && errno == ERANGE) {
        const ssize_t needed = read(name, nullptr, 0);
        if (needed < 0) {
            return false;
        }
        value.resize(static_cast<std::size_t>(needed) + 1);
        size = read(name, value.data(), value.size());
    }
    if (size < 0) {
        return false;
    }
    value.resize(static_cast<std::size_t>(size));
    return true;
}

bool list(const Read& read_names, const Read& read_value, std::vector<Xattr>& xattrs) {
    xattrs.clear();
    std::string names;
    if (!read_sized(read_names, nullptr, names)) {
        return errno == ENOTSUP;
    }
    std::string_view rest = names;
    while (!rest.empty()) {
        const std::string name(rest.substr(0, rest.find('\0')));
        rest.remove_prefix(std::min(rest.size(), name.size() + 1));
        std::string value;
        if (!name.empty() && !is_overlay_xattr(name) && read_sized(read_value, name.c_str(), value)) {
            xattrs.emplace_back(name, std::move(value));
        }
    }
    std::ranges::sort(xattrs);
    return true;
}

} // namespace

bool is_overlay_xattr(const std::string& name) {
    for (const std::string_view prefix :
         {"user.overlay.", "trusted.overlay.", "user.fuseoverlayfs.", "security.fuseoverlayfs.", "user.containers."}) {
        if (name.starts_with(prefix)) {
            return true;
        }
    }
    return false;
}

bool list_xattrs(int descriptor, std::vector<Xattr>& xattrs) {
    return list(
        [&](const char*, char* buffer, std::size_t size) { return ::flistxattr(descriptor, buffer, size); },
        [&](const char* name, char* buffer, std::size_t size) { return ::fgetxattr(descriptor, name, buffer, size); },
        xattrs);
}

bool list_link_xattrs(int directory, const std::string& name, std::vector<Xattr>& xattrs) {
    const InDirectory there(directory);
    return there.entered() &&
           list([&](const char*, char* buffer, std::size_t size) { return ::llistxattr(name.c_str(), buffer, size); },
                [&](const char* xattr, char* buffer, std::size_t size) {
                    return ::lgetxattr(name.c_str(), xattr, buffer, size);
                },
                xattrs);
}

bool set_link_xattr(int directory, const std::string& name, const Xattr& xattr) {
    const InDirectory there(directory);
    return there.entered() &&
           ::lsetxattr(name.c_str(), xattr.first.c_str(), xattr.second.data(), xattr.second.size(), 0) == 0;
}

} // namespace sandbox::image
