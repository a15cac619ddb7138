// Where a value came from: every entry of a Profile and of a Plan carries it, so that a message can name the line.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/base/shared_text.hpp"

namespace sandbox {

/// The place where somebody wrote a value.
struct Origin {
    enum class Kind {
        built_in, ///< a default of the program; `source` says which
        file,     ///< a profile; `source` is its path, `line` and `column` count from 1
        option,   ///< the command line; `source` is the option's words ("--ro /srv")
    };

    Kind kind = Kind::built_in;
    SharedText source; ///< empty: the default
    std::uint32_t line = 0;
    std::uint32_t column = 0;
    SharedText key; ///< the profile's key, "filesystem.read-only"; empty for an option

    /// For a message: "strict.toml:14:9", "--ro /srv", "built-in default".
    [[nodiscard]] std::string place() const;

    bool operator==(const Origin&) const = default;
};

/// The origin of a value that is ours: "built-in default".
[[nodiscard]] Origin built_in(std::string source = "default");

/// "strict.toml:14:9: filesystem.read-only", "--ro /srv": the start of a message about a written value. A mistake of
/// form starts with `place()` alone: its text names the key.
[[nodiscard]] std::string written_at(const Origin& origin);

/// One written word and its place.
struct Item {
    std::string text;
    Origin origin;

    bool operator==(const Item&) const = default;
};

/// A single value of a profile. `overridden` keeps what stood there before, oldest first.
template <class T> struct Setting {
    std::optional<T> value;
    Origin origin;
    std::vector<std::pair<T, Origin>> overridden;

    void set(T new_value, Origin new_origin) {
        if (value) {
            overridden.emplace_back(std::move(*value), std::move(origin));
        }
        value = std::move(new_value);
        origin = std::move(new_origin);
    }
    [[nodiscard]] explicit operator bool() const { return value.has_value(); }
    [[nodiscard]] const T& value_or(const T& fallback) const { return value ? *value : fallback; }
};

/// A list of a profile. Written plainly it replaces what a profile it extends has; written as `{ add = [...] }`, or
/// by an option, it adds to it.
struct List {
    bool replaces = false;        ///< this layer gave the whole list
    std::vector<Item> items;      ///< what counts, in the order of the layers
    std::vector<Item> overridden; ///< what a later layer replaced
    Origin origin = {};           ///< where the list that replaces was written; it may be an empty one

    [[nodiscard]] bool written() const { return replaces || !items.empty(); }
};

} // namespace sandbox
