// Bytes that come block by block: from a file, through a digest, read ahead by a thread.
#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "core/image/digest.hpp"

namespace sandbox::image {

/// Where bytes come from. A block is valid until the next call; an empty one is the end, and stays so.
class Stream {
public:
    Stream() = default;
    Stream(const Stream&) = delete;
    Stream& operator=(const Stream&) = delete;
    virtual ~Stream() = default;

    /// \throws Error
    [[nodiscard]] virtual Bytes next() = 0;
    /// Passes over the next bytes where that is cheap. \return how many were passed over; 0 where it is not
    virtual std::uint64_t skip(std::uint64_t) { return 0; }
};

inline constexpr std::size_t kBlockSize = std::size_t{256} << 10;
inline constexpr std::uint64_t kToTheEnd = std::numeric_limits<std::uint64_t>::max();

/// A file, a pipe, or a part of a file. The descriptor stays the caller's.
class FileStream : public Stream {
public:
    /// From where the descriptor stands up to its end. \param name for messages
    FileStream(int descriptor, std::string name);
    /// `size` bytes from `offset` on, which the file must have.
    FileStream(int descriptor, std::string name, std::uint64_t offset, std::uint64_t size);

    [[nodiscard]] Bytes next() override;
    std::uint64_t skip(std::uint64_t count) override;

private:
    int descriptor_;
    std::string name_;
    bool positioned_ = false;
    std::uint64_t offset_ = 0;
    std::uint64_t left_ = kToTheEnd;
    std::vector<std::uint8_t> buffer_;
};

/// Passes bytes through and computes what they are.
class DigestStream : public Stream {
public:
    /// \param progress where given, told the number of bytes of each block.
    explicit DigestStream(Stream& from, std::function<void(std::size_t)> progress = {})
        : from_(from), progress_(std::move(progress)) {}

    [[nodiscard]] Bytes next() override;
    /// Of all that passed. Once.
    [[nodiscard]] std::string digest() { return to_digest(sha256_.finish()); }

private:
    Stream& from_;
    std::function<void(std::size_t)> progress_;
    Sha256 sha256_;
};

/// Passes bytes through and tells how many.
class CountingStream : public Stream {
public:
    CountingStream(Stream& from, std::function<void(std::size_t)> progress)
        : from_(from), progress_(std::move(progress)) {}

    [[nodiscard]] Bytes next() override {
        const Bytes block = from_.next();
        progress_(block.size());
        return block;
    }
    std::uint64_t skip(std::uint64_t count) override { return from_.skip(count); }

private:
    Stream& from_;
    std::function<void(std::size_t)> progress_;
};

/// First bytes that were read already, then the rest.
class ReplayStream : public Stream {
public:
    /// Reads up to `size` bytes ahead.
    ReplayStream(Stream& from, std::size_t size);

    [[nodiscard]] Bytes head() const { return head_; }
    [[nodiscard]] Bytes next() override;
    std::uint64_t skip(std::uint64_t count) override { return replayed_ || head_.empty() ? from_.skip(count) : 0; }

private:
    Stream& from_;
    std::vector<std::uint8_t> head_;
    bool replayed_ = false;
};

/// A text in memory.
class TextStream : public Stream {
public:
    explicit TextStream(Bytes text) : text_(text) {}
    [[nodiscard]] Bytes next() override { return std::exchange(text_, {}); }

private:
    Bytes text_;
};

/// Reads the rest, for a digest of the whole.
void drain(Stream& stream);

/// Reads the whole, which may have `limit` bytes. \throws Error where it is longer. \param name for the message
[[nodiscard]] std::string read_text(Stream& stream, std::size_t limit, const std::string& name);

} // namespace sandbox::image
