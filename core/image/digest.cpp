#include "core/image/digest.hpp"

#include <fmt/format.h>

#include "core/base/error.hpp"
#include "core/plan/image_reference.hpp"

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
    return std::string(kSha256) + to_hex(value);
}

std::string digest_of(std::string_view text) {
    Sha256 sha256;
    sha256.add(text);
    return to_digest(sha256.finish());
}

void refuse_digest(const std::string& name, const std::string& wanted, const std::string& found) {
    throw Error("the image's " + quoted(name) + " is not what its digest says")
        .cause(fmt::format("wanted {}, found {}", wanted, found))
        .fix("fetch the image again; if it stays so, do not trust it");
}

} // namespace sandbox::image
