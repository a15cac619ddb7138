#include "core/plan/image_reference.hpp"

#include <algorithm>

#include "core/base/error.hpp"

namespace sandbox {

namespace {

constexpr std::string_view kDockerHub = "docker.io";
constexpr std::string_view kLibrary = "library/";
constexpr std::size_t kLongestName = 255; // of domain and path together
constexpr std::size_t kLongestTag = 128;

bool is_lower(char c) {
    return c >= 'a' && c <= 'z';
}

bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

bool is_alphanumeric(char c) {
    return is_lower(c) || is_digit(c) || (c >= 'A' && c <= 'Z');
}

/// "a", "a.b", "a__b", "a--b": lower-case letters and digits, parted by one period, one or two underscores, or dashes.
bool is_path_component(std::string_view text) {
    std::size_t at = 0;
    const auto word = [&] {
        const std::size_t start = at;
        while (at < text.size() && (is_lower(text[at]) || is_digit(text[at]))) {
            ++at;
        }
        return at > start;
    };
    const auto separator = [&] {
        const std::size_t start = at;
        const char kind = text[at];
        while (at < text.size() && text[at] == kind) {
            ++at;
        }
        const std::size_t count = at - start;
        return kind == '-' || (kind == '_' && count <= 2) || (kind == '.' && count == 1);
    };
    if (!word()) {
        return false;
    }
    while (at < text.size()) {
        if (!separator() || !word()) {
            return false;
        }
    }
    return true;
}

bool is_path(std::string_view text) {
    while (true) {
        const std::size_t slash = text.find('/');
        if (!is_path_component(text.substr(0, slash))) {
            return false;
        }
        if (slash == std::string_view::npos) {
            return true;
        }
        text.remove_prefix(slash + 1);
    }
}

bool is_domain_label(std::string_view text) {
    return !text.empty() && text.front() != '-' && text.back() != '-' &&
           std::ranges::all_of(text, [](char c) { return is_alphanumeric(c) || c == '-'; });
}

bool is_domain(std::string_view text) {
    const std::size_t colon = text.find(':');
    if (colon != std::string_view::npos) {
        const std::string_view port = text.substr(colon + 1);
        if (port.empty() || port.size() > 5 || !std::ranges::all_of(port, is_digit)) {
            return false;
        }
        text = text.substr(0, colon);
    }
    while (true) {
        const std::size_t dot = text.find('.');
        if (!is_domain_label(text.substr(0, dot))) {
            return false;
        }
        if (dot == std::string_view::npos) {
            return true;
        }
        text.remove_prefix(dot + 1);
    }
}

bool is_tag(std::string_view text) {
    const auto word = [](char c) { return is_alphanumeric(c) || c == '_'; };
    return !text.empty() && text.size() <= kLongestTag && word(text.front()) &&
           std::ranges::all_of(text, [&](char c) { return word(c) || c == '.' || c == '-'; });
}

[[noreturn]] void refuse(std::string_view reference, const std::string& cause, const std::string& fix = "") {
    // Whoever writes a reference of a megabyte knows how it goes on.
    constexpr std::size_t kShown = 300;
    Error error("cannot read the image reference " + quoted(reference.substr(0, kShown)));
    error.cause(cause);
    if (!fix.empty()) {
        error.fix(fix);
    }
    throw error;
}

/// The first part of a name is a registry where it looks like a host: docker's rule.
bool looks_like_domain(std::string_view text) {
    return text.find_first_of(".:") != std::string_view::npos || text == "localhost" ||
           std::ranges::any_of(text, [](char c) { return c >= 'A' && c <= 'Z'; });
}

} // namespace

bool is_hex(std::string_view text) {
    return std::ranges::all_of(text, [](char c) { return is_digit(c) || (c >= 'a' && c <= 'f'); });
}

bool is_digest(std::string_view text) {
    constexpr std::size_t kDigits = 64;
    return text.size() == kSha256.size() + kDigits && text.starts_with(kSha256) && is_hex(text.substr(kSha256.size()));
}

std::string hex_of(std::string_view digest) {
    return std::string(digest.substr(kSha256.size()));
}

std::string ImageReference::full() const {
    return domain + "/" + path + (tag.empty() ? "" : ":" + tag) + (digest.empty() ? "" : "@" + digest);
}

std::string ImageReference::familiar() const {
    const std::string name = full();
    if (domain != kDockerHub) {
        return name;
    }
    const std::size_t slash = path.find('/');
    const bool in_library = path.starts_with(kLibrary) && slash == path.rfind('/');
    // docker.io/a.b/c: without docker.io, a.b would be read as its registry.
    if (!in_library && looks_like_domain(path.substr(0, slash))) {
        return name;
    }
    return name.substr(kDockerHub.size() + 1 + (in_library ? kLibrary.size() : 0));
}

ImageReference parse_reference(std::string_view text) {
    ImageReference reference;
    std::string_view rest = text;
    if (const std::size_t at = rest.find('@'); at != std::string_view::npos) {
        reference.digest = rest.substr(at + 1);
        rest = rest.substr(0, at);
        if (!is_digest(reference.digest)) {
            refuse(text, "what stands behind '@' is not sha256: and 64 lower-case hexadecimal digits");
        }
    }
    const std::size_t slash = rest.find('/');
    if (slash != std::string_view::npos && looks_like_domain(rest.substr(0, slash))) {
        reference.domain = rest.substr(0, slash);
        rest.remove_prefix(slash + 1);
        if (!is_domain(reference.domain)) {
            refuse(text, "its registry " + quoted(reference.domain) + " is no host name, or its port no number");
        }
    }
    if (const std::size_t colon = rest.find(':'); colon != std::string_view::npos) {
        reference.tag = rest.substr(colon + 1);
        rest = rest.substr(0, colon);
        if (!is_tag(reference.tag)) {
            refuse(text, "a tag has letters, digits, '_', '.', '-', at most 128, and starts with none of '.' and '-'");
        }
    }
    if (rest.empty()) {
        refuse(text, "it has no name", "REGISTRY/NAME:TAG, where REGISTRY/ and :TAG may be missing: debian:12");
    }
    if (!is_path(rest)) {
        refuse(text, "a name has lower-case letters and digits, parted by '/', '.', '_', '__' or '-'");
    }
    if (reference.domain.empty() || reference.domain == "index.docker.io") {
        reference.domain = kDockerHub;
    }
    reference.path = rest;
    if (reference.domain == kDockerHub && reference.path.find('/') == std::string::npos) {
        reference.path.insert(0, kLibrary);
    }
    if (reference.domain.size() + 1 + reference.path.size() > kLongestName) {
        refuse(text, "its name is longer than 255 bytes");
    }
    if (reference.tag.empty() && reference.digest.empty()) {
        reference.tag = "latest";
    }
    return reference;
}

std::string familiar_reference(const std::string& full) {
    try {
        return parse_reference(full).familiar();
    } catch (const Error&) {
        return full; // not one of ours: shown as it is
    }
}

} // namespace sandbox
