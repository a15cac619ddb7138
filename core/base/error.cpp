#include "core/base/error.hpp"

#include <cstring>

#include <fmt/format.h>

namespace sandbox {

namespace {

/// The length of the valid UTF-8 sequence at the start of `text`, 0 where there is none (RFC 3629).
std::size_t utf8_length(std::string_view text) {
    const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
    const auto continues = [&](std::size_t count) {
        if (text.size() <= count) {
            return false;
        }
        for (std::size_t i = 1; i <= count; ++i) {
            if ((byte(i) & 0xc0) != 0x80) {
                return false;
            }
        }
        return true;
    };
    const unsigned char first = byte(0);
    if (first < 0x80) {
        return 1;
    }
    if (first >= 0xc2 && first <= 0xdf) {
        return continues(1) ? 2 : 0;
    }
    if (first >= 0xe0 && first <= 0xef && continues(2)) {
        const bool overlong = first == 0xe0 && byte(1) < 0xa0;
        const bool surrogate = first == 0xed && byte(1) > 0x9f;
        return overlong || surrogate ? 0 : 3;
    }
    if (first >= 0xf0 && first <= 0xf4 && continues(3)) {
        const bool overlong = first == 0xf0 && byte(1) < 0x90;
        const bool too_large = first == 0xf4 && byte(1) > 0x8f;
        return overlong || too_large ? 0 : 4;
    }
    return 0;
}

/// U+0080 to U+009F drive terminals too, and the bidirectional marks reorder what a person reads.
bool is_unsafe_sequence(std::string_view sequence) {
    const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(sequence[i]); };
    if (sequence.size() == 2) {
        return byte(0) == 0xc2 && byte(1) < 0xa0;
    }
    if (sequence.size() == 3 && byte(0) == 0xe2) {
        const bool marks =
            byte(1) == 0x80 && ((byte(2) >= 0x8b && byte(2) <= 0x8f) || (byte(2) >= 0xa8 && byte(2) <= 0xae));
        const bool isolates = byte(1) == 0x81 && byte(2) >= 0xa0 && byte(2) <= 0xaf;
        return marks || isolates;
    }
    return false;
}

} // namespace

Error::Error(std::string summary) : summary_(std::move(summary)) {
    compose();
}

Error& Error::kernel(int error_number) & {
    error_number_ = error_number;
    compose();
    return *this;
}

Error& Error::cause(std::string text) & {
    causes_.push_back(std::move(text));
    compose();
    return *this;
}

Error& Error::fix(std::string text) & {
    fixes_.push_back(std::move(text));
    compose();
    return *this;
}

Error&& Error::kernel(int error_number) && {
    return std::move(this->kernel(error_number));
}

Error&& Error::cause(std::string text) && {
    return std::move(this->cause(std::move(text)));
}

Error&& Error::fix(std::string text) && {
    return std::move(this->fix(std::move(text)));
}

Error&& Error::status(int exit_status) && {
    exit_status_ = exit_status;
    return std::move(*this);
}

void Error::compose() {
    text_ = summary_;
    if (error_number_ != 0) {
        text_ += ": " + kernel_word(error_number_);
    }
    for (const std::string& cause : causes_) {
        text_ += "\n  cause: " + cause;
    }
    for (const std::string& fix : fixes_) {
        text_ += "\n  fix: " + fix;
    }
}

std::string escaped(std::string_view text) {
    std::string result;
    while (!text.empty()) {
        const auto first = static_cast<unsigned char>(text.front());
        const std::size_t length = utf8_length(text);
        if (first == '\n') {
            result += "\\n";
        } else if (first == '\t') {
            result += "\\t";
        } else if (first == '\\') {
            result += "\\\\";
        } else if (length == 0 || first < 0x20 || first == 0x7f) {
            result += fmt::format("\\x{:02x}", first);
        } else if (is_unsafe_sequence(text.substr(0, length))) {
            for (const char byte : text.substr(0, length)) {
                result += fmt::format("\\x{:02x}", static_cast<unsigned char>(byte));
            }
        } else {
            result += text.substr(0, length);
        }
        text.remove_prefix(length == 0 ? 1 : length);
    }
    return result;
}

std::string quoted(std::string_view text) {
    return "'" + escaped(text) + "'";
}

std::string shell_quoted(std::string_view text) {
    constexpr std::string_view kPlain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/._-+,:@%=";
    if (!text.empty() && text.find_first_not_of(kPlain) == std::string_view::npos) {
        return std::string(text);
    }
    const std::string safe = escaped(text);
    // $'...' undoes exactly the escapes that `escaped` makes; a plain word needs none.
    std::string result = safe == text ? "'" : "$'";
    for (const char byte : safe) {
        if (byte == '\'') {
            result += safe == text ? "'\\''" : "\\'";
        } else {
            result += byte;
        }
    }
    return result + "'";
}

bool is_utf8(std::string_view text) {
    while (!text.empty()) {
        const std::size_t length = utf8_length(text);
        if (length == 0) {
            return false;
        }
        text.remove_prefix(length);
    }
    return true;
}

std::string kernel_word(int error_number) {
    // strerrordesc_np never depends on the locale, so messages can be compared and searched for.
    const char* word = strerrordesc_np(error_number);
    return word != nullptr ? word : fmt::format("error {}", error_number);
}

} // namespace sandbox
