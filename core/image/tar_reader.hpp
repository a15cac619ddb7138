// A tar, entry by entry, with libarchive: ustar, pax, GNU, sparse files.
#pragma once

#include <exception>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/image/attributes.hpp"
#include "core/image/stream.hpp"

struct archive;
struct archive_entry;

namespace sandbox::image {

/// One entry's header. Names are bytes as they stand in the tar.
struct TarEntry {
    enum class Type { file, directory, symbolic_link, hard_link, fifo, device };

    Type type = Type::file;
    std::string name;
    std::string target; ///< of a link
    std::uint64_t size = 0;
    Attributes attributes;
    bool has_dropped_xattrs = false; ///< orders to the overlay were among them
};

class TarReader {
public:
    /// \param name for messages. `from` is read as far as the tar goes.
    TarReader(Stream& from, std::string name);
    ~TarReader();
    TarReader(const TarReader&) = delete;
    TarReader& operator=(const TarReader&) = delete;

    /// The next header; false at the end. \throws Error naming the last entry that could be read
    [[nodiscard]] bool next(TarEntry& entry);

    /// The content of the entry, block by block: where it goes, and the bytes. What is between them are zeros.
    void read_content(const std::function<void(std::uint64_t offset, Bytes block)>& use);

    /// How far the tar itself has been read.
    [[nodiscard]] std::uint64_t position() const;

private:
    [[noreturn]] void fail();

    struct Source;
    std::unique_ptr<Source> source_;
    std::string name_;
    std::unique_ptr<archive, int (*)(archive*)> archive_;
    std::string last_entry_;
};

} // namespace sandbox::image
