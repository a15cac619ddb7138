#include "core/image/attributes.hpp"

#include <fcntl.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <cerrno>

#include <fmt/format.h>

#include "core/base/error.hpp"
#include "core/image/layer_path.hpp"

namespace sandbox::image {

namespace {

constexpr mode_t kModeBits = 07777;

[[noreturn]] void refuse(const char* what, const std::string& entry, int error_number) {
    throw Error(fmt::format("cannot {} {}", what, shown(entry))).kernel(error_number);
}

} // namespace

void Notes::add(const std::string& what, const std::string& entry) {
    Note& note = notes_[what];
    if (++note.count == 1) {
        note.first = entry;
    }
}

bool AttributeWriter::may_give_owner(const Attributes& attributes, const std::string& entry) const {
    if (single_owner_ && (attributes.uid != 0 || attributes.gid != 0)) {
        notes_.add("entries of other owners became yours", entry);
    }
    return !single_owner_;
}

void AttributeWriter::refuse_owner(const Attributes& attributes, const std::string& entry, int error_number) {
    Error error(fmt::format("cannot give {} to the owner {}:{}", shown(entry), attributes.uid, attributes.gid));
    error.kernel(error_number);
    if (error_number == EINVAL) {
        error.cause("your subordinate range does not reach so far")
            .fix("get a larger range (usermod --add-subuids, --add-subgids), or import with --single-owner");
    }
    throw error;
}

void AttributeWriter::note_xattr(const std::string& name, const std::string& entry, int error_number) const {
    if (error_number == ENOSPC || error_number == EDQUOT || error_number == EIO) {
        throw Error(fmt::format("cannot set the attribute {} of {}", quoted(name), shown(entry))).kernel(error_number);
    }
    notes_.add("extended attributes could not be kept", entry);
}

void AttributeWriter::write(int descriptor, const Attributes& attributes, const std::string& entry,
                            bool with_times) const {
    if (may_give_owner(attributes, entry) && ::fchown(descriptor, attributes.uid, attributes.gid) < 0) {
        refuse_owner(attributes, entry, errno);
    }
    // After the owner, whose change takes setuid bits and file capabilities away: chown(2).
    if (::fchmod(descriptor, attributes.mode & kModeBits) < 0) {
        refuse("set the mode of", entry, errno);
    }
    for (const auto& [name, value] : attributes.xattrs) {
        if (::fsetxattr(descriptor, name.c_str(), value.data(), value.size(), 0) < 0) {
            note_xattr(name, entry, errno);
        }
    }
    const timespec times[2] = {attributes.mtime, attributes.mtime};
    if (with_times && ::futimens(descriptor, times) < 0) {
        refuse("set the times of", entry, errno);
    }
}

void AttributeWriter::write_at(int directory, const std::string& name, bool is_link, const Attributes& attributes,
                               const std::string& entry) const {
    const char* file = name.c_str();
    if (may_give_owner(attributes, entry) &&
        ::fchownat(directory, file, attributes.uid, attributes.gid, AT_SYMLINK_NOFOLLOW) < 0) {
        refuse_owner(attributes, entry, errno);
    }
    if (!is_link && ::fchmodat(directory, file, attributes.mode & kModeBits, 0) < 0) {
        refuse("set the mode of", entry, errno);
    }
    for (const Xattr& xattr : attributes.xattrs) {
        if (!set_link_xattr(directory, name, xattr)) {
            note_xattr(xattr.first, entry, errno);
        }
    }
    const timespec times[2] = {attributes.mtime, attributes.mtime};
    if (::utimensat(directory, file, times, AT_SYMLINK_NOFOLLOW) < 0) {
        refuse("set the times of", entry, errno);
    }
}

Attributes attributes_of(int descriptor, const struct stat& status) {
    Attributes attributes{status.st_uid, status.st_gid, status.st_mode & kModeBits, status.st_mtim};
    static_cast<void>(list_xattrs(descriptor, attributes.xattrs));
    return attributes;
}

} // namespace sandbox::image
