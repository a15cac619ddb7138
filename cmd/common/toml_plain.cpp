// The plain part of TOML 1.0. Whatever is not plain makes the reader decline, never guess.
#include <algorithm>
#include <charconv>

#include "cmd/common/toml_tree.hpp"

namespace sandbox {

namespace {

using Type = TomlNode::Type;

constexpr int kDeepest = 8;

bool is_bare(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
}

bool is_printable(char c) {
    return c >= ' ' && c <= '~';
}

/// Thrown where the document is not plain; caught in read_plain_toml.
struct Declined {};

class PlainReader {
public:
    explicit PlainReader(std::string_view text) : text_(text) { tables_.place = {1, 1}; }

    TomlNode read() {
        TomlNode* table = &tables_;
        while (true) {
            skip_blank_lines();
            if (at_end()) {
                return std::move(tables_);
            }
            table = peek() == '[' ? read_header() : (read_member(*table, 0), table);
            end_line();
        }
    }

private:
    [[nodiscard]] bool at_end() const { return at_ == text_.size(); }
    [[nodiscard]] char peek() const { return at_end() ? '\0' : text_[at_]; }
    [[nodiscard]] TomlPlace here() const { return {line_, static_cast<std::uint32_t>(at_ - line_start_ + 1)}; }

    void expect(char c) {
        if (peek() != c) {
            throw Declined();
        }
        ++at_;
    }
    bool take(char c) {
        const bool there = peek() == c;
        at_ += there ? 1 : 0;
        return there;
    }

    void skip_spaces() {
        while (peek() == ' ' || peek() == '\t') {
            ++at_;
        }
    }
    void skip_remark() {
        if (peek() == '#') {
            while (!at_end() && peek() != '\n') {
                if (!is_printable(peek()) && peek() != '\t') {
                    throw Declined();
                }
                ++at_;
            }
        }
    }
    void skip_blank_lines() {
        while (true) {
            skip_spaces();
            skip_remark();
            if (peek() != '\n') {
                return;
            }
            next_line();
        }
    }
    void next_line() {
        ++at_;
        ++line_;
        line_start_ = at_;
    }
    void end_line() {
        skip_spaces();
        skip_remark();
        if (!at_end() && peek() != '\n') {
            throw Declined();
        }
    }

    std::string_view read_key() {
        const std::size_t start = at_;
        while (is_bare(peek())) {
            ++at_;
        }
        if (at_ == start) {
            throw Declined();
        }
        return text_.substr(start, at_ - start);
    }

    static TomlMember* find(TomlNode& table, std::string_view key) {
        const auto found = std::ranges::find(table.members, key, &TomlMember::key);
        return found == table.members.end() ? nullptr : &*found;
    }

    /// "[a]", "[a.b]", "[[a.b]]": each table is opened once, and only a plain table has tables below it.
    TomlNode* read_header() {
        const TomlPlace place = here();
        expect('[');
        const bool of_array = take('[');
        TomlNode* table = &tables_;
        while (true) {
            const TomlPlace key_place = here();
            const std::string_view key = read_key();
            TomlMember* member = find(*table, key);
            const bool last = peek() != '.';
            if (last) {
                expect(']');
                if (of_array) {
                    expect(']');
                }
                return of_array ? append_table(*table, member, key, key_place, place)
                                : open_table(*table, member, key, key_place, place);
            }
            ++at_;
            if (member == nullptr || !member->value.is(Type::table) || is_inline(member->value)) {
                throw Declined(); // a table that is not there yet would be made in passing: rare
            }
            table = &member->value;
        }
    }

    TomlNode* open_table(TomlNode& above, const TomlMember* member, std::string_view key, TomlPlace key_place,
                         TomlPlace place) {
        if (member != nullptr) {
            throw Declined();
        }
        above.members.push_back({std::string(key), key_place, {}});
        TomlNode& table = above.members.back().value;
        table.place = place;
        return &table;
    }

    TomlNode* append_table(TomlNode& above, TomlMember* member, std::string_view key, TomlPlace key_place,
                           TomlPlace place) {
        if (member == nullptr) {
            above.members.push_back({std::string(key), key_place, {}});
            member = &above.members.back();
            member->value.type = Type::list;
            member->value.place = place;
        } else if (!member->value.is(Type::list) || member->value.items.empty() ||
                   is_inline(member->value.items.front())) {
            throw Declined();
        }
        member->value.items.emplace_back();
        member->value.items.back().place = place;
        return &member->value.items.back();
    }

    /// A table in braces, and a list in brackets, are closed for headers: they begin with their own bracket.
    [[nodiscard]] bool is_inline(const TomlNode& node) const {
        return !node.is(Type::table) || std::ranges::find(inline_tables_, node.place) != inline_tables_.end();
    }

    void read_member(TomlNode& table, int depth) {
        const TomlPlace place = here();
        const std::string_view key = read_key();
        skip_spaces();
        expect('='); // a dotted key declines here
        skip_spaces();
        if (find(table, key) != nullptr) {
            throw Declined();
        }
        table.members.push_back({std::string(key), place, {}});
        read_value(table.members.back().value, depth);
    }

    void read_value(TomlNode& node, int depth) {
        if (depth > kDeepest) {
            throw Declined();
        }
        node.place = here();
        const char c = peek();
        if (c == '"') {
            read_string(node);
        } else if (c == '[') {
            read_list(node, depth);
        } else if (c == '{') {
            read_inline_table(node, depth);
        } else if (c >= '0' && c <= '9') {
            read_number(node);
        } else {
            read_boolean(node);
        }
    }

    /// Of a string over several lines this takes the first two quotes for an empty one, and the third ends the reading.
    void read_string(TomlNode& node) {
        node.type = Type::string;
        ++at_;
        const std::size_t start = at_;
        while (peek() != '"') {
            if (!is_printable(peek()) || peek() == '\\') {
                throw Declined();
            }
            ++at_;
        }
        node.text = text_.substr(start, at_ - start);
        ++at_;
    }

    void read_number(TomlNode& node) {
        node.type = Type::number;
        const bool hexadecimal = text_.substr(at_, 2) == "0x";
        at_ += hexadecimal ? 2 : 0;
        const char* const start = text_.data() + at_;
        const auto [end, error] =
            std::from_chars(start, text_.data() + text_.size(), node.number, hexadecimal ? 16 : 10);
        const auto length = static_cast<std::size_t>(end - start);
        at_ += length;
        const bool leading_zero = !hexadecimal && *start == '0' && length > 1;
        const bool goes_on = is_bare(peek()) || peek() == '.' || peek() == ':' || peek() == '+';
        if (error != std::errc{} || node.number < 0 || leading_zero || goes_on) {
            throw Declined();
        }
    }

    void read_boolean(TomlNode& node) {
        node.type = Type::boolean;
        const std::string_view word = read_key();
        if (word != "true" && word != "false") {
            throw Declined();
        }
        node.number = word == "true" ? 1 : 0;
    }

    void read_list(TomlNode& node, int depth) {
        node.type = Type::list;
        ++at_;
        while (true) {
            skip_blank_lines();
            if (take(']')) {
                return;
            }
            node.items.emplace_back();
            read_value(node.items.back(), depth + 1);
            skip_blank_lines();
            if (!take(',')) {
                expect(']');
                return;
            }
        }
    }

    void read_inline_table(TomlNode& node, int depth) {
        node.type = Type::table;
        inline_tables_.push_back(node.place);
        ++at_;
        skip_spaces();
        if (take('}')) {
            return;
        }
        while (true) {
            skip_spaces();
            read_member(node, depth + 1);
            skip_spaces();
            if (!take(',')) {
                expect('}');
                return;
            }
        }
    }

    std::string_view text_;
    std::size_t at_ = 0;
    std::size_t line_start_ = 0;
    std::uint32_t line_ = 1;
    TomlNode tables_; ///< the document
    std::vector<TomlPlace> inline_tables_;
};

} // namespace

std::optional<TomlNode> read_plain_toml(std::string_view text) {
    try {
        return PlainReader(text).read();
    } catch (const Declined&) {
        return std::nullopt;
    }
}

} // namespace sandbox
