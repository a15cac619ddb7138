// gzip, xz, zstd or plain: found out from the first bytes.
#pragma once

#include <memory>
#include <string>

#include "core/image/stream.hpp"

namespace sandbox::image {

/// What `from` holds, unpacked. One compression only: an archive that was compressed twice is not asked for.
/// \param name for messages. \throws Error, then and while it is read: truncated, corrupt, a checksum that is wrong.
[[nodiscard]] std::unique_ptr<Stream> decompress(Stream& from, std::string name);

/// Reads another stream in a thread of its own, some blocks ahead. \throws what that one threw, from next().
class AheadStream : public Stream {
public:
    /// Reads all of `from`, which nobody else may touch until the end was seen or this is gone.
    explicit AheadStream(Stream& from);
    ~AheadStream() override;

    [[nodiscard]] Bytes next() override;

private:
    struct Shared;
    std::unique_ptr<Shared> shared_;
};

} // namespace sandbox::image
