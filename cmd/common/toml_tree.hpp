// The tree of one TOML document, with places: what profile_text.cpp reads.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sandbox {

struct TomlPlace {
    std::uint32_t line = 0;   ///< from 1
    std::uint32_t column = 0; ///< from 1, in characters

    bool operator==(const TomlPlace&) const = default;
};

struct TomlMember;

/// One value. A profile has no use for times: they are told apart, and their value is not kept.
struct TomlNode {
    enum class Type { table, list, string, number, fraction, boolean, time };

    Type type = Type::table;
    TomlPlace place;
    std::string text;                ///< string; fraction: in the fewest digits
    std::int64_t number = 0;         ///< number; boolean: 0 or 1
    std::vector<TomlNode> items;     ///< list
    std::vector<TomlMember> members; ///< table

    [[nodiscard]] bool is(Type wanted) const { return type == wanted; }
    bool operator==(const TomlNode&) const;
};

struct TomlMember {
    std::string key;
    TomlPlace place; ///< the key's
    TomlNode value;

    bool operator==(const TomlMember&) const = default;
};

/// Reads a document.
/// \param source the file's name for messages.
/// \throws Error naming the place where `text` is not TOML.
[[nodiscard]] TomlNode read_toml(std::string_view text, const std::string& source);

/// Reads a document of plain means: ASCII, bare keys, strings without escapes, whole numbers, each table opened once.
/// Profiles are written so, and toml++ takes 15 ns a character where this takes one.
/// \return nothing for a document with anything else, right or wrong: toml++ is the judge of those.
[[nodiscard]] std::optional<TomlNode> read_plain_toml(std::string_view text);

/// As read_toml, by toml++ alone.
[[nodiscard]] TomlNode read_any_toml(std::string_view text, const std::string& source);

} // namespace sandbox
