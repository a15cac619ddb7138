#include "core/same_file.hpp"

#include <linux/limits.h>
#include <sys/types.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sandbox {

namespace {

constexpr std::size_t kBlock = std::size_t{64} << 10;

/// Fills the block, but at the end. \return -1 and errno
ssize_t read_block(int file, std::vector<char>& block, off_t offset) {
    std::size_t size = 0;
    while (size < block.size()) {
        const ssize_t count =
            ::pread(file, block.data() + size, block.size() - size, offset + static_cast<off_t>(size));
        if (count < 0 && errno == EINTR) {
            continue;
        }
        if (count < 0) {
            return -1;
        }
        if (count == 0) {
            break;
        }
        size += static_cast<std::size_t>(count);
    }
    return static_cast<ssize_t>(size);
}

bool is_kept_for_itself(std::string_view name) {
    constexpr std::array<std::string_view, 5> kPrefixes = {"user.overlay.", "trusted.overlay.", "user.fuseoverlayfs.",
                                                           "user.containers.", "security.selinux"};
    return std::ranges::any_of(kPrefixes, [&](std::string_view prefix) { return name.starts_with(prefix); });
}

using Attributes = std::map<std::string, std::string>;

/// Nothing where they cannot be read, none where the file system has none.
std::optional<Attributes> attributes_of(int file) {
    std::string names(XATTR_LIST_MAX, '\0');
    const ssize_t length = ::flistxattr(file, names.data(), names.size());
    if (length < 0) {
        return errno == ENOTSUP ? std::optional(Attributes{}) : std::nullopt;
    }
    Attributes attributes;
    std::string value(XATTR_SIZE_MAX, '\0');
    for (std::string_view rest(names.data(), static_cast<std::size_t>(length)); !rest.empty();) {
        const std::string name(rest.substr(0, rest.find('\0')));
        rest.remove_prefix(std::min(rest.size(), name.size() + 1));
        if (is_kept_for_itself(name)) {
            continue;
        }
        const ssize_t size = ::fgetxattr(file, name.c_str(), value.data(), value.size());
        if (size < 0) {
            return std::nullopt;
        }
        attributes.emplace(name, value.substr(0, static_cast<std::size_t>(size)));
    }
    return attributes;
}

} // namespace

bool have_same_content(int one, int other) {
    std::vector<char> first(kBlock);
    std::vector<char> second(kBlock);
    for (off_t offset = 0;; offset += static_cast<off_t>(kBlock)) {
        const ssize_t size = read_block(one, first, offset);
        if (size < 0 || read_block(other, second, offset) != size ||
            !std::equal(first.begin(), first.begin() + size, second.begin())) {
            return false;
        }
        if (size == 0) {
            return true;
        }
    }
}

bool have_same_attributes(int one, int other) {
    const std::optional<Attributes> first = attributes_of(one);
    return first && first == attributes_of(other);
}

} // namespace sandbox
