#include "core/image/digest.hpp"

namespace sandbox::image {

std::string to_hex(const Sha256Value& value) {
    constexpr std::string_view kDigits = "0123456789abcdef";
    std::string text;
    for (const std::uint8_t byte : value) {
        text += kDigits[byte >> 4U];
        text += kDigits[byte & 15U];
    }
    return text;
}

std::string to_digest(const Sha256Value& value) {
    return "sha256:" + to_hex(value);
}

std::string digest_of(std::string_view text) {
    Sha256 sha256;
    sha256.add(text);
    return to_digest(sha256.finish());
}

} // namespace sandbox::image
