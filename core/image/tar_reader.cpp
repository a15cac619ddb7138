#include "core/image/tar_reader.hpp"

#include <cerrno>

#include <fmt/format.h>

#include "core/base/error.hpp"
#include "core/image/archive_library.hpp"
#include "core/image/layer_path.hpp"
#include "core/plan/host.hpp"

namespace sandbox::image {

/// libarchive is C: an exception waits until its call is over.
struct TarReader::Source {
    Stream& from;
    std::exception_ptr thrown = nullptr;

    static la_ssize_t read(archive* handle, void* self, const void** data) {
        auto& source = *static_cast<Source*>(self);
        try {
            const Bytes block = source.from.next();
            *data = block.data();
            return static_cast<la_ssize_t>(block.size());
        } catch (...) {
            source.thrown = std::current_exception();
            archive_library().set_error(handle, EIO, "the source failed");
            return -1;
        }
    }

    static la_int64_t skip(archive*, void* self, la_int64_t count) {
        auto& source = *static_cast<Source*>(self);
        return count <= 0 ? 0 : static_cast<la_int64_t>(source.from.skip(static_cast<std::uint64_t>(count)));
    }
};

namespace {

[[noreturn]] void refuse(const std::string& entry, const std::string& cause) {
    throw Error("cannot unpack " + shown(entry)).cause(cause);
}

std::uint32_t read_id(la_int64_t id, const char* what, const std::string& entry) {
    if (id < 0 || static_cast<std::uint64_t>(id) >= kIdLimit) {
        refuse(entry, fmt::format("its {} is {}, which is none", what, id));
    }
    return static_cast<std::uint32_t>(id);
}

TarEntry::Type read_type(archive_entry* header, const std::string& entry) {
    if (archive_library().entry_hardlink(header) != nullptr) {
        return TarEntry::Type::hard_link;
    }
    switch (archive_library().entry_filetype(header)) {
    case AE_IFREG:
        return TarEntry::Type::file;
    case AE_IFDIR:
        return TarEntry::Type::directory;
    case AE_IFLNK:
        return TarEntry::Type::symbolic_link;
    case AE_IFIFO:
        return TarEntry::Type::fifo;
    case AE_IFCHR:
    case AE_IFBLK:
        return TarEntry::Type::device;
    default:
        refuse(entry, "it has a type that no tar has");
    }
}

timespec read_time(archive_entry* header) {
    constexpr long kNanoseconds = 1'000'000'000;
    if (archive_library().entry_mtime_is_set(header) == 0) {
        return {};
    }
    const long nanoseconds = archive_library().entry_mtime_nsec(header);
    return {archive_library().entry_mtime(header), nanoseconds >= 0 && nanoseconds < kNanoseconds ? nanoseconds : 0};
}

void read_xattrs(archive_entry* header, TarEntry& entry) {
    const char* name = nullptr;
    const void* value = nullptr;
    std::size_t size = 0;
    archive_library().entry_xattr_reset(header);
    while (archive_library().entry_xattr_next(header, &name, &value, &size) == ARCHIVE_OK) {
        if (is_overlay_xattr(name)) {
            entry.has_dropped_xattrs = true;
            continue;
        }
        entry.attributes.xattrs.emplace_back(name, std::string(static_cast<const char*>(value), size));
    }
}

} // namespace

TarReader::TarReader(Stream& from, std::string name)
    : source_(new Source{from}), name_(std::move(name)),
      archive_(archive_library().read_new(), archive_library().read_free) {
    archive_library().read_support_format_tar(archive_.get());
    archive_library().read_support_format_empty(archive_.get());
    if (archive_library().read_open2(archive_.get(), source_.get(), nullptr, &Source::read, &Source::skip, nullptr) !=
        ARCHIVE_OK) {
        fail();
    }
}

TarReader::~TarReader() = default;

void TarReader::fail() {
    if (source_->thrown) {
        std::rethrow_exception(source_->thrown);
    }
    const char* said = archive_library().error_string(archive_.get());
    Error error("cannot read the archive " + quoted(name_));
    error.cause(said != nullptr ? escaped(said) : "it is no tar");
    error.cause(last_entry_.empty() ? "no entry could be read" : "the last entry that could be read is " + last_entry_);
    throw error;
}

bool TarReader::next(TarEntry& entry) {
    archive_entry* header = nullptr;
    const int result = archive_library().read_next_header(archive_.get(), &header);
    if (result == ARCHIVE_EOF) {
        return false;
    }
    // ARCHIVE_WARN: a name that is no UTF-8, say, which is kept as it is.
    if (result != ARCHIVE_OK && result != ARCHIVE_WARN) {
        fail();
    }
    const char* name = archive_library().entry_pathname(header);
    if (name == nullptr) {
        fail();
    }
    entry = {};
    entry.name = name;
    last_entry_ = shown(entry.name);
    entry.type = read_type(header, entry.name);
    if (entry.type == TarEntry::Type::hard_link || entry.type == TarEntry::Type::symbolic_link) {
        const char* target = entry.type == TarEntry::Type::hard_link ? archive_library().entry_hardlink(header)
                                                                     : archive_library().entry_symlink(header);
        entry.target = target != nullptr ? target : "";
    }
    const la_int64_t size = archive_library().entry_size(header);
    if (size < 0) {
        refuse(entry.name, fmt::format("its size is {}", size));
    }
    entry.size = static_cast<std::uint64_t>(size);
    entry.attributes.uid = read_id(archive_library().entry_uid(header), "uid", entry.name);
    entry.attributes.gid = read_id(archive_library().entry_gid(header), "gid", entry.name);
    entry.attributes.mode = archive_library().entry_perm(header);
    entry.attributes.mtime = read_time(header);
    read_xattrs(header, entry);
    return true;
}

void TarReader::read_content(const std::function<void(std::uint64_t offset, Bytes block)>& use) {
    const void* data = nullptr;
    std::size_t size = 0;
    la_int64_t offset = 0;
    while (true) {
        const int result = archive_library().read_data_block(archive_.get(), &data, &size, &offset);
        if (result == ARCHIVE_EOF) {
            return;
        }
        if (result != ARCHIVE_OK && result != ARCHIVE_WARN) {
            fail();
        }
        if (offset < 0) {
            refuse(last_entry_, "its content lies at a place below zero");
        }
        if (size > 0) {
            use(static_cast<std::uint64_t>(offset), {static_cast<const std::uint8_t*>(data), size});
        }
    }
}

std::uint64_t TarReader::position() const {
    return static_cast<std::uint64_t>(archive_library().filter_bytes(archive_.get(), 0));
}

} // namespace sandbox::image
