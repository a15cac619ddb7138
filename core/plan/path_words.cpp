#include "core/plan/path_words.hpp"

#include <optional>
#include <string_view>
#include <utility>

#include "core/base/error.hpp"
#include "core/plan/layers.hpp"
#include "core/plan/paths.hpp"

namespace sandbox {

namespace {

constexpr std::string_view kPatternCharacters = "*?[";

std::optional<std::string> variable(std::string_view name, const Host& host) {
    if (name == "HOME") {
        return host.home;
    }
    if (name == "PWD") {
        return host.cwd;
    }
    if (name == "USER") {
        return host.user_name;
    }
    if (name == "XDG_RUNTIME_DIR") {
        return host.runtime_dir;
    }
    return std::nullopt;
}

/// The first colon that no backslash stands before, from `start` on.
std::size_t find_colon(std::string_view text, std::size_t start) {
    for (std::size_t i = start; i < text.size(); ++i) {
        if (text[i] == '\\') {
            ++i;
        } else if (text[i] == ':') {
            return i;
        }
    }
    return std::string_view::npos;
}

bool is_name_character(char byte) {
    return (byte >= 'A' && byte <= 'Z') || (byte >= 'a' && byte <= 'z') || (byte >= '0' && byte <= '9') || byte == '_';
}

/// Reads one word; `pattern` keeps backslashes for glob(3) and protects what variables hold.
class Reader {
public:
    Reader(std::string_view text, const Item& item, const Host& host, bool pattern)
        : text_(text), item_(item), host_(host), pattern_(pattern), expands_(item.origin.kind != Origin::Kind::option) {
    }

    PathWord read() {
        if (text_.empty()) {
            refuse("it is empty", "write a path");
        }
        if (item_.text.find('\0') != std::string::npos) {
            refuse("it holds a NUL byte", "write a path without one");
        }
        read_tilde();
        while (position_ < text_.size()) {
            read_character();
        }
        if (!result_.starts_with('/')) {
            make_absolute();
        }
        return {.path = paths::normal(result_),
                .follows_caller = follows_caller_,
                .is_home_itself = expands_ && (text_ == "~" || text_ == "$HOME" || text_ == "${HOME}")};
    }

private:
    [[noreturn]] void refuse(const std::string& cause, const std::string& fix) const {
        throw Error(written_at(item_.origin) + ": cannot read the path " + quoted(item_.text)).cause(cause).fix(fix);
    }

    void add_value(const std::string& value) { result_ += pattern_ ? protect_from_glob(value) : value; }

    void read_tilde() {
        if (!expands_ || !text_.starts_with('~')) {
            return;
        }
        if (text_.size() > 1 && text_[1] != '/') {
            refuse("'~' names your own home only", "write the other home's path, or ./~NAME for a file of that name");
        }
        add_value(host_.home);
        position_ = 1;
    }

    void read_character() {
        const char byte = text_[position_];
        if (byte == '$' && expands_) {
            read_variable();
            return;
        }
        if (byte == '\\' && position_ + 1 < text_.size()) {
            read_escape(text_[position_ + 1]);
            return;
        }
        result_ += byte;
        ++position_;
    }

    void read_escape(char next) {
        const bool ours = (next == '$' && expands_) || next == ':' || (next == '\\' && !pattern_);
        if (!ours) {
            result_ += '\\';
        }
        // A pattern's "\\" goes to glob(3) as two characters, so that the second does not escape what follows.
        result_ += next;
        position_ += 2;
    }

    void read_variable() {
        const bool braced = position_ + 1 < text_.size() && text_[position_ + 1] == '{';
        const std::size_t start = position_ + (braced ? 2 : 1);
        std::size_t end = start;
        while (end < text_.size() && is_name_character(text_[end])) {
            ++end;
        }
        const std::string name(text_.substr(start, end - start));
        const std::optional<std::string> value = variable(name, host_);
        if (!value || (braced && (end == text_.size() || text_[end] != '}'))) {
            refuse("there is no variable " + quoted("$" + name) + " here",
                   "use $HOME, $PWD, $USER or $XDG_RUNTIME_DIR, and write \\$ for the character");
        }
        if (name == "PWD") {
            follows_caller_ = true;
        }
        if (value->empty()) {
            refuse("$" + name + " is not known",
                   name == "PWD" ? "start from a directory that still exists" : "write the path itself");
        }
        add_value(*value);
        position_ = end + (braced ? 1 : 0);
    }

    void make_absolute() {
        follows_caller_ = true;
        if (host_.cwd.empty()) {
            refuse("it is relative and the current directory cannot be named", "write an absolute path");
        }
        const std::string cwd = pattern_ ? protect_from_glob(host_.cwd) : host_.cwd;
        result_ = paths::join(cwd, std::exchange(result_, {}));
    }

    std::string_view text_;
    const Item& item_;
    const Host& host_;
    bool pattern_;
    /// The shell has expanded an option's words already: a file that is really called "$HOME" must not become the home.
    bool expands_;
    std::size_t position_ = 0;
    bool follows_caller_ = false;
    std::string result_;
};

} // namespace

std::string protect_from_glob(const std::string& text) {
    std::string result;
    for (const char byte : text) {
        if (kPatternCharacters.find(byte) != std::string_view::npos || byte == '\\') {
            result += '\\';
        }
        result += byte;
    }
    return result;
}

PathWord read_path(const Item& item, const Host& host) {
    return Reader(item.text, item, host, false).read();
}

GrantWord read_grant(const Item& item, const Host& host) {
    const std::string_view text = item.text;
    const std::size_t colon = find_colon(text, 0);
    GrantWord word{.source = Reader(text.substr(0, colon), item, host, false).read(), .dest = {}};
    if (colon == std::string_view::npos) {
        return word;
    }
    if (find_colon(text, colon + 1) != std::string_view::npos) {
        throw Error(written_at(item.origin) + ": cannot read " + quoted(text))
            .cause("it has more than one colon")
            .fix("write PATH or PATH:DEST, and \\: for a colon inside a name");
    }
    const PathWord dest = Reader(text.substr(colon + 1), item, host, false).read();
    // In a profile "$PWD" is absolute although it follows the caller; a relative word is what has no meaning inside.
    const char first = text[colon + 1];
    const bool expanded = item.origin.kind != Origin::Kind::option && (first == '~' || first == '$');
    if (first != '/' && !expanded) {
        throw Error(written_at(item.origin) + ": cannot read " + quoted(text))
            .cause("the place inside the sandbox is not absolute")
            .fix("write it from / on: PATH:/DEST");
    }
    word.dest = dest.path;
    return word;
}

bool is_pattern(const std::string& text) {
    return text.find_first_of(kPatternCharacters) != std::string::npos;
}

std::string read_pattern(const Item& item, const Host& host) {
    return Reader(item.text, item, host, true).read().path;
}

} // namespace sandbox
