#include "core/image/decompress.hpp"

#include <zlib.h>

#include <array>
#include <cstring>

#include "core/base/error.hpp"
#include "core/image/archive_library.hpp"

namespace sandbox::image {

namespace {

// RFC 1952, the .xz file format, RFC 8878.
constexpr std::array<std::uint8_t, 2> kGzip = {0x1f, 0x8b};
constexpr std::array<std::uint8_t, 6> kXz = {0xfd, '7', 'z', 'X', 'Z', 0};
constexpr std::array<std::uint8_t, 4> kZstd = {0x28, 0xb5, 0x2f, 0xfd};
constexpr std::size_t kLongestMagic = kXz.size();

[[noreturn]] void refuse(const std::string& name, const std::string& cause) {
    throw Error("cannot decompress " + quoted(name)).cause(cause).fix("fetch it again: it is truncated or corrupt");
}

/// zlib itself, since libarchive does not compare gzip's checksum: RFC 1952.
class Gunzip : public Stream {
public:
    Gunzip(std::unique_ptr<Stream> from, std::string name)
        : from_(std::move(from)), name_(std::move(name)), buffer_(kBlockSize) {
        constexpr int kGzipOnly = 16;
        if (::inflateInit2(&state_, MAX_WBITS + kGzipOnly) != Z_OK) {
            throw Error("cannot start zlib");
        }
    }
    ~Gunzip() override { ::inflateEnd(&state_); }

    [[nodiscard]] Bytes next() override {
        state_.next_out = buffer_.data();
        state_.avail_out = static_cast<uInt>(buffer_.size());
        while (state_.avail_out > 0 && !at_end_) {
            step();
        }
        return {buffer_.data(), buffer_.size() - state_.avail_out};
    }

private:
    bool fill() {
        if (state_.avail_in == 0) {
            const Bytes block = from_->next();
            state_.next_in = const_cast<Bytef*>(block.data());
            state_.avail_in = static_cast<uInt>(block.size());
        }
        return state_.avail_in > 0;
    }

    void step() {
        if (!fill()) {
            if (!between_members_) {
                refuse(name_, "it ends in the middle of a gzip member");
            }
            at_end_ = true;
            return;
        }
        if (between_members_ && any_member_ && *state_.next_in == 0) {
            // Zeros may follow the last member, as gzip(1) has it for tapes.
            --state_.avail_in;
            ++state_.next_in;
            return;
        }
        between_members_ = false;
        const int result = ::inflate(&state_, Z_NO_FLUSH);
        if (result == Z_STREAM_END) {
            between_members_ = true;
            any_member_ = true;
            ::inflateReset(&state_);
        } else if (result != Z_OK && result != Z_BUF_ERROR) {
            refuse(name_, std::string("gzip: ") + (state_.msg != nullptr ? state_.msg : "no gzip data"));
        }
    }

    std::unique_ptr<Stream> from_;
    std::string name_;
    std::vector<std::uint8_t> buffer_;
    z_stream state_{};
    bool between_members_ = true;
    bool any_member_ = false;
    bool at_end_ = false;
};

/// xz and zstd through libarchive.
class ArchiveFilter : public Stream {
public:
    ArchiveFilter(std::unique_ptr<Stream> from, std::string name)
        : from_(std::move(from)), name_(std::move(name)),
          archive_(archive_library().read_new(), archive_library().read_free) {
        archive_library().read_support_filter_xz(archive_.get());
        archive_library().read_support_filter_zstd(archive_.get());
        archive_library().read_support_format_raw(archive_.get());
        archive_entry* entry = nullptr;
        if (archive_library().read_open(archive_.get(), this, nullptr, &ArchiveFilter::read, nullptr) != ARCHIVE_OK) {
            fail();
        }
        const int result = archive_library().read_next_header(archive_.get(), &entry);
        if (result != ARCHIVE_OK && result != ARCHIVE_EOF) {
            fail();
        }
        at_end_ = result == ARCHIVE_EOF;
        if (archive_library().filter_count(archive_.get()) > 2) { // the last is the file itself
            throw Error("cannot decompress " + quoted(name_)).cause("it was compressed more than once");
        }
    }

    [[nodiscard]] Bytes next() override {
        const void* data = nullptr;
        std::size_t size = 0;
        la_int64_t offset = 0;
        while (!at_end_) {
            const int result = archive_library().read_data_block(archive_.get(), &data, &size, &offset);
            at_end_ = result == ARCHIVE_EOF;
            if (!at_end_ && result != ARCHIVE_OK) {
                fail();
            }
            if (size > 0) {
                return {static_cast<const std::uint8_t*>(data), size};
            }
        }
        return {};
    }

private:
    // libarchive is C: an exception waits until its call is over.
    static la_ssize_t read(archive* handle, void* self, const void** data) {
        auto& filter = *static_cast<ArchiveFilter*>(self);
        try {
            const Bytes block = filter.from_->next();
            *data = block.data();
            return static_cast<la_ssize_t>(block.size());
        } catch (...) {
            filter.thrown_ = std::current_exception();
            archive_library().set_error(handle, EIO, "the source failed");
            return -1;
        }
    }

    [[noreturn]] void fail() {
        if (thrown_) {
            std::rethrow_exception(thrown_);
        }
        const char* said = archive_library().error_string(archive_.get());
        refuse(name_, said != nullptr ? escaped(said) : "it cannot be read");
    }

    std::unique_ptr<Stream> from_;
    std::string name_;
    std::unique_ptr<archive, int (*)(archive*)> archive_;
    std::exception_ptr thrown_;
    bool at_end_ = false;
};

} // namespace

std::unique_ptr<Stream> decompress(Stream& from, std::string name) {
    auto replay = std::make_unique<ReplayStream>(from, kLongestMagic);
    const Bytes head = replay->head();
    const auto starts_with = [&](auto magic) {
        return head.size() >= magic.size() && std::memcmp(head.data(), magic.data(), magic.size()) == 0;
    };
    if (starts_with(kGzip)) {
        return std::make_unique<Gunzip>(std::move(replay), std::move(name));
    }
    const bool zstd_skippable =
        head.size() >= 4 && head[0] >= 0x50 && head[0] <= 0x5f && head[1] == 0x2a && head[2] == 0x4d && head[3] == 0x18;
    if (starts_with(kXz) || starts_with(kZstd) || zstd_skippable) {
        return std::make_unique<ArchiveFilter>(std::move(replay), std::move(name));
    }
    return replay;
}

} // namespace sandbox::image
