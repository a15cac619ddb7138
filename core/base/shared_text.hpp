// A text that many values share.
#pragma once

#include <memory>
#include <ostream>
#include <string>
#include <string_view>
#include <utility>

#include <fmt/format.h>

namespace sandbox {

/// An unchanging string. A copy costs no allocation: every value of a profile carries the name of its file and key.
class SharedText {
public:
    SharedText() = default;
    SharedText(std::string text) // NOLINT(google-explicit-constructor): it is a string in all but its copies
        : text_(text.empty() ? nullptr : std::make_shared<const std::string>(std::move(text))) {}
    SharedText(const char* text) : SharedText(std::string(text)) {} // NOLINT(google-explicit-constructor)

    [[nodiscard]] const std::string& str() const {
        static const std::string nothing;
        return text_ ? *text_ : nothing;
    }
    operator std::string_view() const { return str(); } // NOLINT(google-explicit-constructor)

    [[nodiscard]] bool empty() const { return !text_; }

    bool operator==(const SharedText& other) const { return text_ == other.text_ || str() == other.str(); }

    friend std::ostream& operator<<(std::ostream& stream, const SharedText& text) { return stream << text.str(); }

private:
    std::shared_ptr<const std::string> text_; ///< null when empty
};

} // namespace sandbox

template <> struct fmt::formatter<sandbox::SharedText> : fmt::formatter<std::string_view> {};
