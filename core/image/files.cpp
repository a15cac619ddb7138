#include "core/image/files.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <vector>

#include "core/base/error.hpp"
#include "core/base/file.hpp"
#include "core/base/sys.hpp"
#include "core/image/layer_path.hpp"
#include "core/image/manifest.hpp"
#include "core/image/tar_reader.hpp"
#include "core/plan/image_reference.hpp"

namespace sandbox::image {

namespace {

constexpr std::size_t kMostMembers = 100'000;

/// Whether the plain file has at `offset` what the tar's reader gave for it.
bool lies_at(int file, std::uint64_t offset, Bytes block) {
    std::vector<std::uint8_t> read(std::min<std::size_t>(block.size(), 4096));
    return ::pread(file, read.data(), read.size(), static_cast<off_t>(offset)) == static_cast<ssize_t>(read.size()) &&
           std::memcmp(read.data(), block.data(), read.size()) == 0;
}

/// Stops the reading of a member after its first block.
struct SeenEnough {};

} // namespace

Blob Files::get(const std::string& name) const {
    std::optional<Blob> blob = find(name);
    if (!blob) {
        throw Error("the image's " + quoted(name) + " is missing").cause("its manifest names it").fix("fetch it again");
    }
    return std::move(*blob);
}

std::string Files::read(const std::string& name) const {
    return read_text(*get(name).open(), kLargestDocument, name);
}

std::optional<Blob> DirectoryFiles::find(const std::string& name) const {
    auto file =
        std::make_shared<const Fd>(sys::openat2(directory_, name.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY,
                                                RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS));
    struct stat status {};
    if (!*file) {
        if (errno == ENOENT || errno == ENOTDIR) {
            return std::nullopt;
        }
        throw Error("cannot open the image's " + quoted(name)).kernel(errno);
    }
    if (::fstat(file->get(), &status) < 0 || !S_ISREG(status.st_mode)) {
        throw Error("the image's " + quoted(name) + " is no regular file");
    }
    return Blob{name, std::move(file), 0, static_cast<std::uint64_t>(status.st_size)};
}

/// Copies the members of a tar into one file, those apart that can be read where they are.
class ArchiveFiles::Spooling {
public:
    Spooling(ArchiveFiles& files, std::shared_ptr<const Fd> plain, Budget& budget)
        : files_(files), plain_(std::move(plain)), budget_(budget) {}

    void add(TarReader& tar, const TarEntry& entry) {
        const std::string path = join(split(entry.name));
        switch (entry.type) {
        case TarEntry::Type::symbolic_link:
            files_.members_[path] = {std::nullopt, link_target(path, entry.target)};
            return;
        case TarEntry::Type::hard_link:
            files_.members_[path] = {std::nullopt, join(split(entry.target))};
            return;
        case TarEntry::Type::file:
            files_.members_[path] = {copy(tar, entry, path), ""};
            return;
        default:
            return;
        }
    }

private:
    /// docker save links a layer to an equal one: "../HEX/layer.tar".
    static std::string link_target(const std::string& path, const std::string& text) {
        Components target = split(path);
        target.pop_back();
        for (const std::string& component : split(text)) {
            if (component != "..") {
                target.push_back(component);
            } else if (!target.empty()) {
                target.pop_back();
            }
        }
        return join(target);
    }

    Blob copy(TarReader& tar, const TarEntry& entry, const std::string& path) {
        const std::uint64_t position = tar.position();
        bool counted = false;
        try {
            tar.read_content([&](std::uint64_t offset, Bytes block) {
                if (offset == 0 && plain_ && lies_at(plain_->get(), position, block)) {
                    throw SeenEnough{};
                }
                budget_.take(counted ? 0 : entry.size, path);
                counted = true;
                write(offset, block, entry);
                budget_.wrote(block.size(), path);
            });
        } catch (const SeenEnough&) {
            return {path, plain_, position, entry.size};
        }
        budget_.take(counted ? 0 : entry.size, path);
        const std::uint64_t start = spooled_;
        spooled_ += entry.size;
        if (::ftruncate(files_.spool_->get(), static_cast<off_t>(spooled_)) < 0) {
            throw Error("cannot unpack " + shown(path)).kernel(errno);
        }
        return {path, files_.spool_, start, entry.size};
    }

    void write(std::uint64_t offset, Bytes block, const TarEntry& entry) {
        const int spool = files_.spool_->get();
        if (offset > entry.size || block.size() > entry.size - offset) {
            throw Error("cannot unpack " + shown(entry.name)).cause("its content does not fit its size");
        }
        if (::lseek(spool, static_cast<off_t>(spooled_ + offset), SEEK_SET) < 0 ||
            !write_all(spool, {reinterpret_cast<const char*>(block.data()), block.size()})) {
            throw Error("cannot unpack " + shown(entry.name)).kernel(errno);
        }
    }

    ArchiveFiles& files_;
    std::shared_ptr<const Fd> plain_;
    Budget& budget_;
    std::uint64_t spooled_ = 0;
};

ArchiveFiles::ArchiveFiles(Stream& archive, const std::string& name, std::shared_ptr<const Fd> plain, Fd spool,
                           Budget& budget)
    : spool_(std::make_shared<const Fd>(std::move(spool))) {
    TarReader tar(archive, name);
    Spooling spooling(*this, std::move(plain), budget);
    TarEntry entry;
    while (tar.next(entry)) {
        budget.take(kEntrySize, entry.name);
        budget.wrote(kEntrySize, entry.name);
        if (members_.size() >= kMostMembers) {
            throw Error("cannot read the archive " + quoted(name)).cause("no image has so many files");
        }
        spooling.add(tar, entry);
    }
}

std::optional<Blob> ArchiveFiles::find(const std::string& name) const {
    constexpr int kMostLinks = 8;
    std::string path = join(split(name));
    for (int links = 0; links <= kMostLinks; ++links) {
        const auto found = members_.find(path);
        if (found == members_.end()) {
            return std::nullopt;
        }
        if (found->second.blob) {
            return found->second.blob;
        }
        path = found->second.target;
    }
    throw Error("cannot read the image's " + shown(name)).kernel(ELOOP);
}

bool is_image_file(const std::string& name) {
    constexpr std::size_t kDigits = 64;
    const Components path = split(name);
    if (path.empty()) {
        return false;
    }
    const std::string& first = path.front();
    if (path.size() == 1 &&
        (first == "oci-layout" || first == "index.json" || first == "manifest.json" || first == "repositories")) {
        return true;
    }
    if (first == "blobs") {
        return path.size() == 1 || path[1] == "sha256";
    }
    return first.size() >= kDigits && is_hex(std::string_view(first).substr(0, kDigits)) &&
           (first.size() == kDigits || first.substr(kDigits) == ".json" || first.substr(kDigits) == ".tar");
}

} // namespace sandbox::image
