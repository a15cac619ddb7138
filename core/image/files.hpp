// The files of what an image is delivered in: a directory, or the members of an archive.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>

#include "core/base/fd.hpp"
#include "core/image/budget.hpp"
#include "core/image/stream.hpp"

namespace sandbox::image {

/// A file, or a part of one.
struct Blob {
    std::string name;
    std::shared_ptr<const Fd> file;
    std::uint64_t offset = 0;
    std::uint64_t size = 0;

    [[nodiscard]] std::unique_ptr<Stream> open() const {
        return std::make_unique<FileStream>(file->get(), name, offset, size);
    }
};

class Files {
public:
    Files() = default;
    Files(const Files&) = delete;
    Files& operator=(const Files&) = delete;
    virtual ~Files() = default;

    /// The regular file of this name; nothing where there is none. \throws Error
    [[nodiscard]] virtual std::optional<Blob> find(const std::string& name) const = 0;

    /// \throws Error where there is none.
    [[nodiscard]] Blob get(const std::string& name) const;
    /// A document, whole. \throws Error where it is too long for one.
    [[nodiscard]] std::string read(const std::string& name) const;
};

/// Below a directory, and not out of it.
class DirectoryFiles : public Files {
public:
    /// The descriptor stays the caller's.
    explicit DirectoryFiles(int directory) : directory_(directory) {}
    [[nodiscard]] std::optional<Blob> find(const std::string& name) const override;

private:
    int directory_;
};

/// The members of a tar. They are copied to a file of ours, unless the tar itself can be read at any place.
class ArchiveFiles : public Files {
public:
    /// \param archive unpacked, at its start. \param plain the same as a file, where it is one and not compressed.
    /// \param spool a new, empty file.
    ArchiveFiles(Stream& archive, const std::string& name, std::shared_ptr<const Fd> plain, Fd spool, Budget& budget);
    [[nodiscard]] std::optional<Blob> find(const std::string& name) const override;

private:
    class Spooling;
    struct Member {
        std::optional<Blob> blob;
        std::string target; ///< of a link: a name in the archive
    };

    std::shared_ptr<const Fd> spool_;
    std::map<std::string, Member> members_;
};

/// Whether a tar whose first entry has this name is an image, and not a root file system.
[[nodiscard]] bool is_image_file(const std::string& name);

} // namespace sandbox::image
