// Owner, mode, extended attributes and times of what is unpacked.
#pragma once

#include <sys/stat.h>

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "core/image/xattrs.hpp"

namespace sandbox::image {

struct Attributes {
    std::uint32_t uid = 0;
    std::uint32_t gid = 0;
    mode_t mode = 0; ///< the permission bits, setuid, setgid, sticky
    timespec mtime{};
    std::vector<Xattr> xattrs = {};
};

/// What could not be kept, to be told at the end: how often, and the first entry that it happened to.
class Notes {
public:
    /// \param what "device nodes were left out"
    void add(const std::string& what, const std::string& entry);

    struct Note {
        std::uint64_t count = 0;
        std::string first;
    };
    [[nodiscard]] const std::map<std::string, Note>& all() const { return notes_; }

private:
    std::map<std::string, Note> notes_;
};

/// Gives files what their entries say.
class AttributeWriter {
public:
    /// \param single_owner owners are left out and noted.
    AttributeWriter(bool single_owner, Notes& notes) : single_owner_(single_owner), notes_(notes) {}

    /// Of an open file or directory; times only where `with_times`. \throws Error naming `entry`
    void write(int descriptor, const Attributes& attributes, const std::string& entry, bool with_times = true) const;

    /// Of a name in a directory that cannot be opened: a link, a fifo.
    void write_at(int directory, const std::string& name, bool is_link, const Attributes& attributes,
                  const std::string& entry) const;

private:
    bool may_give_owner(const Attributes& attributes, const std::string& entry) const;
    [[noreturn]] static void refuse_owner(const Attributes& attributes, const std::string& entry, int error_number);
    void note_xattr(const std::string& name, const std::string& entry, int error_number) const;

    bool single_owner_;
    Notes& notes_;
};

/// Those of an existing file, with its extended attributes. \param descriptor no O_PATH one.
[[nodiscard]] Attributes attributes_of(int descriptor, const struct stat& status);

} // namespace sandbox::image
