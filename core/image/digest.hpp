// sha256, as image-spec's digests are written.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include <nettle/sha2.h>

namespace sandbox::image {

using Bytes = std::span<const std::uint8_t>;
using Sha256Value = std::array<std::uint8_t, SHA256_DIGEST_SIZE>;

/// A running sha256.
class Sha256 {
public:
    Sha256() { sha256_init(&context_); }
    void add(Bytes bytes) { sha256_update(&context_, bytes.size(), bytes.data()); }
    void add(std::string_view text) { add({reinterpret_cast<const std::uint8_t*>(text.data()), text.size()}); }
    /// What came of it; starts anew.
    [[nodiscard]] Sha256Value finish() {
        Sha256Value value;
        sha256_digest(&context_, value.size(), value.data());
        return value;
    }

private:
    sha256_ctx context_{};
};

/// 64 lower-case hexadecimal digits.
[[nodiscard]] std::string to_hex(const Sha256Value& value);

/// "sha256:HEX".
[[nodiscard]] std::string to_digest(const Sha256Value& value);

/// "sha256:HEX" of a text.
[[nodiscard]] std::string digest_of(std::string_view text);

/// \throws Error always: `name` of an image is not what its digest says.
[[noreturn]] void refuse_digest(const std::string& name, const std::string& wanted, const std::string& found);

} // namespace sandbox::image
