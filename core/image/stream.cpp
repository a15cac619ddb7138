#include "core/image/stream.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include <fmt/format.h>

#include "core/base/error.hpp"

namespace sandbox::image {

FileStream::FileStream(int descriptor, std::string name)
    : descriptor_(descriptor), name_(std::move(name)), buffer_(kBlockSize) {}

FileStream::FileStream(int descriptor, std::string name, std::uint64_t offset, std::uint64_t size)
    : descriptor_(descriptor), name_(std::move(name)), positioned_(true), offset_(offset), left_(size),
      buffer_(std::min<std::uint64_t>(kBlockSize, std::max<std::uint64_t>(size, 1))) {}

Bytes FileStream::next() {
    if (left_ == 0) {
        return {};
    }
    const auto wanted = static_cast<std::size_t>(std::min<std::uint64_t>(left_, buffer_.size()));
    ssize_t count = -1;
    do {
        count = positioned_ ? ::pread(descriptor_, buffer_.data(), wanted, static_cast<off_t>(offset_))
                            : ::read(descriptor_, buffer_.data(), wanted);
    } while (count < 0 && errno == EINTR);
    if (count < 0) {
        throw Error("cannot read " + quoted(name_)).kernel(errno);
    }
    if (count == 0) {
        if (positioned_) {
            throw Error("cannot read " + quoted(name_)).cause("it ends before its time: it was cut, or changes");
        }
        left_ = 0;
        return {};
    }
    const auto read = static_cast<std::size_t>(count);
    offset_ += read;
    left_ -= left_ == kToTheEnd ? 0 : read;
    return {buffer_.data(), read};
}

std::uint64_t FileStream::skip(std::uint64_t count) {
    constexpr std::uint64_t kMost = std::uint64_t{1} << 40; // an archive's word for it could be any number
    struct stat status {};
    const off_t position = positioned_ || count > kMost ? -1 : ::lseek(descriptor_, 0, SEEK_CUR);
    // lseek(2) goes beyond the end as well, where a file that was cut would look whole: there it is read.
    const bool is_there =
        position >= 0 && ::fstat(descriptor_, &status) == 0 && position + static_cast<off_t>(count) <= status.st_size;
    return is_there && ::lseek(descriptor_, static_cast<off_t>(count), SEEK_CUR) >= 0 ? count : 0;
}

Bytes DigestStream::next() {
    const Bytes block = from_.next();
    sha256_.add(block);
    if (progress_) {
        progress_(block.size());
    }
    return block;
}

ReplayStream::ReplayStream(Stream& from, std::size_t size) : from_(from) {
    while (head_.size() < size) {
        const Bytes block = from_.next();
        if (block.empty()) {
            return;
        }
        head_.insert(head_.end(), block.begin(), block.end());
    }
}

Bytes ReplayStream::next() {
    if (!replayed_ && !head_.empty()) {
        replayed_ = true;
        return head_;
    }
    return from_.next();
}

void drain(Stream& stream) {
    while (!stream.next().empty()) {
    }
}

std::string read_text(Stream& stream, std::size_t limit, const std::string& name) {
    std::string text;
    for (Bytes block = stream.next(); !block.empty(); block = stream.next()) {
        if (text.size() + block.size() > limit) {
            throw Error(fmt::format("{} is longer than {} bytes", quoted(name), limit))
                .cause("no image's document is so long");
        }
        text.append(reinterpret_cast<const char*>(block.data()), block.size());
    }
    return text;
}

} // namespace sandbox::image
