#include "core/image/layer_writer.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <vector>

#include "core/base/error.hpp"

namespace sandbox::image {

namespace {

constexpr int kNewFile = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;

void write_block(int file, std::uint64_t offset, Bytes block, const std::string& entry) {
    while (!block.empty()) {
        const ssize_t count = ::pwrite(file, block.data(), block.size(), static_cast<off_t>(offset));
        if (count < 0 && errno == EINTR) {
            continue;
        }
        if (count <= 0) {
            refuse_entry(entry, count < 0 ? errno : EIO);
        }
        block = block.subspan(static_cast<std::size_t>(count));
        offset += static_cast<std::uint64_t>(count);
    }
}

/// The digest of a file counts its holes as the zeros that they are.
void add_zeros(Sha256& sha256, std::uint64_t count) {
    static constexpr std::array<std::uint8_t, 4096> kZeros{};
    while (count > 0) {
        const auto part = static_cast<std::size_t>(std::min<std::uint64_t>(count, kZeros.size()));
        sha256.add(Bytes(kZeros).first(part));
        count -= part;
    }
}

} // namespace

LayerWriter::LayerWriter(LayerTree& tree, bool single_owner, Budget& budget, Notes& notes)
    : tree_(tree), budget_(budget), notes_(notes), attributes_(single_owner, notes) {}

WrittenLayer LayerWriter::write(TarReader& tar) {
    TarEntry entry;
    while (tar.next(entry)) {
        ++written_.entries;
        budget_.take(kEntrySize, entry.name);
        budget_.wrote(kEntrySize, entry.name);
        write_entry(tar, entry);
    }
    finish();
    return std::move(written_);
}

void LayerWriter::write_entry(TarReader& tar, TarEntry& entry) {
    const LayerName name = read_layer_name(entry.name);
    if (entry.has_dropped_xattrs) {
        notes_.add("extended attributes that give orders to an overlay were left out", entry.name);
    }
    switch (name.kind) {
    case LayerName::Kind::metadata:
        return;
    case LayerName::Kind::opaque:
        tree_.make_opaque(join(tree_.resolve(name.parents, entry.name, true)));
        return;
    case LayerName::Kind::whiteout:
        tree_.hide(join(join(tree_.resolve(name.parents, entry.name, true)), name.name));
        written_.depends_on_lower = true;
        return;
    case LayerName::Kind::entry:
        break;
    }
    if (entry.type == TarEntry::Type::device) {
        // Nobody but root can make one; and 0:0 would hide what lies below.
        notes_.add("device nodes were left out", entry.name);
        return;
    }
    const bool is_root = name.name.empty();
    if (is_root && entry.type != TarEntry::Type::directory) {
        refuse_entry(entry.name, "the root of an image is a directory");
    }
    const Place place = tree_.place(name.parents, name.name, entry.name);
    switch (entry.type) {
    case TarEntry::Type::directory: {
        const Fd directory = tree_.make_directory(place, entry.attributes.mtime, entry.name);
        attributes_.write(directory.get(), entry.attributes, entry.name, false);
        written_.has_root_entry |= is_root;
        return;
    }
    case TarEntry::Type::file:
        return write_file(tar, entry, place);
    case TarEntry::Type::hard_link:
        return write_hard_link(entry, place);
    default:
        return write_other(entry, place);
    }
}

void LayerWriter::write_file(TarReader& tar, const TarEntry& entry, const Place& place) {
    budget_.take(entry.size, entry.name);
    Fd file(::openat(place.directory(), place.name.c_str(), kNewFile, 0600));
    if (!file && errno == EEXIST) {
        tree_.remove(place);
        file.reset(::openat(place.directory(), place.name.c_str(), kNewFile, 0600));
    }
    if (!file) {
        refuse_entry(entry.name, errno);
    }
    Sha256 sha256;
    std::uint64_t end = 0;
    tar.read_content([&](std::uint64_t offset, Bytes block) {
        if (offset < end || offset > entry.size || block.size() > entry.size - offset) {
            refuse_entry(entry.name, "its content does not fit its size");
        }
        add_zeros(sha256, offset - end);
        sha256.add(block);
        write_block(file.get(), offset, block, entry.name);
        budget_.wrote(block.size(), entry.name);
        end = offset + block.size();
    });
    if (end < entry.size) {
        add_zeros(sha256, entry.size - end);
        if (::ftruncate(file.get(), static_cast<off_t>(entry.size)) < 0) {
            refuse_entry(entry.name, errno);
        }
    }
    attributes_.write(file.get(), entry.attributes, entry.name);
    struct stat status {};
    if (::fstat(file.get(), &status) < 0) {
        refuse_entry(entry.name, errno);
    }
    written_.contents.insert_or_assign(status.st_ino, sha256.finish());
    written_.size += entry.size;
}

void LayerWriter::write_hard_link(const TarEntry& entry, const Place& place) {
    Components target = read_link_target(entry.target, entry.name);
    const std::string name = std::move(target.back());
    target.pop_back();
    target = tree_.resolve(target, entry.name);
    target.push_back(name);
    const std::string path = join(target);
    if (path == place.path()) {
        return; // a link to itself changes nothing
    }
    if (!tree_.find(path) && (tree_.is_hidden(target) || !copy_up(target, entry.name))) {
        refuse_entry(entry.name, "it is a hard link to " + shown(entry.target) + ", which is not there");
    }
    target.pop_back();
    const Place source = tree_.place(target, name, entry.name);
    tree_.remove(place);
    if (::linkat(source.directory(), source.name.c_str(), place.directory(), place.name.c_str(), 0) < 0) {
        refuse_entry(entry.name, errno);
    }
}

void LayerWriter::write_other(const TarEntry& entry, const Place& place) {
    const bool is_link = entry.type == TarEntry::Type::symbolic_link;
    const auto make = [&] {
        return is_link ? ::symlinkat(entry.target.c_str(), place.directory(), place.name.c_str())
                       : ::mkfifoat(place.directory(), place.name.c_str(), 0600);
    };
    int result = make();
    if (result < 0 && errno == EEXIST) {
        tree_.remove(place);
        result = make();
    }
    if (result < 0) {
        refuse_entry(entry.name, errno);
    }
    attributes_.write_at(place.directory(), place.name, is_link, entry.attributes, entry.name);
}

void LayerWriter::copy_content(int from, int to, const std::string& entry) {
    Sha256 sha256;
    std::vector<std::uint8_t> buffer(kBlockSize);
    std::uint64_t offset = 0;
    for (;;) {
        const ssize_t count = ::pread(from, buffer.data(), buffer.size(), static_cast<off_t>(offset));
        if (count < 0) {
            refuse_entry(entry, errno);
        }
        if (count == 0) {
            break;
        }
        const Bytes block = Bytes(buffer).first(static_cast<std::size_t>(count));
        budget_.take(block.size(), entry);
        sha256.add(block);
        write_block(to, offset, block, entry);
        budget_.wrote(block.size(), entry);
        offset += block.size();
    }
    struct stat status {};
    if (::fstat(to, &status) < 0) {
        refuse_entry(entry, errno);
    }
    written_.contents.insert_or_assign(status.st_ino, sha256.finish());
    written_.size += offset;
}

bool LayerWriter::copy_up(const Components& path, const std::string& entry) {
    const std::optional<LowerEntry> below = tree_.lower().find(path);
    if (!below || below->is_directory()) {
        return false;
    }
    written_.depends_on_lower = true;
    const Place place = tree_.place({path.begin(), path.end() - 1}, path.back(), entry);
    Attributes attributes{below->status.st_uid, below->status.st_gid, below->status.st_mode, below->status.st_mtim};
    if (below->is_link()) {
        std::string target(PATH_MAX, '\0');
        const ssize_t length = ::readlinkat(below->file.get(), "", target.data(), target.size());
        target.resize(length < 0 ? 0 : static_cast<std::size_t>(length));
        if (::symlinkat(target.c_str(), place.directory(), place.name.c_str()) < 0) {
            refuse_entry(entry, errno);
        }
        attributes_.write_at(place.directory(), place.name, true, attributes, entry);
        return true;
    }
    if (!S_ISREG(below->status.st_mode)) {
        if (::mkfifoat(place.directory(), place.name.c_str(), 0600) < 0) {
            refuse_entry(entry, errno);
        }
        attributes_.write_at(place.directory(), place.name, false, attributes, entry);
        return true;
    }
    const Fd copy(::openat(place.directory(), place.name.c_str(), kNewFile, 0600));
    if (!copy) {
        refuse_entry(entry, errno);
    }
    copy_content(below->file.get(), copy.get(), entry);
    attributes_.write(copy.get(), attributes_of(below->file.get(), below->status), entry);
    return true;
}

} // namespace sandbox::image
