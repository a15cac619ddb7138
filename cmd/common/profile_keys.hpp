// The keys of sandbox-profile(5) as one table: reading, writing, options and completion all follow it.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "core/base/error.hpp"
#include "core/plan/profile.hpp"

namespace sandbox {

/// One key of a profile and the field of `Profile` that it fills.
/// Not here, because they have a shape of their own: `extends`, `environment.set` and `[[seccomp.rule]]`.
struct ProfileKey {
    using Text = Setting<std::string>& (*)(Profile&);
    using Flag = Setting<bool>& (*)(Profile&);
    using Words = List& (*)(Profile&);

    std::string_view table; ///< "filesystem"; empty at the top
    std::string_view name;  ///< "read-only"
    std::variant<Text, Flag, Words> field;
    std::span<const std::string_view> words = {}; ///< the only values there are; empty: any
    bool always_adds = false; ///< a list that adds to what a profile it extends has, and never replaces it
    /// An example, for a text that may be written as a number too: user = 1000; with a point, as a fraction: 1.5.
    std::string_view number = {};

    [[nodiscard]] std::string full_name() const;
    [[nodiscard]] bool takes_fractions() const { return number.find('.') != std::string_view::npos; }
};

/// The keys in the order in which a profile is best read.
[[nodiscard]] std::span<const ProfileKey> profile_keys();

/// \param full_name "filesystem.read-only"
/// \return null for a name that is not in the table.
[[nodiscard]] const ProfileKey* find_profile_key(std::string_view full_name);
[[nodiscard]] const ProfileKey* find_profile_key(std::string_view table, std::string_view name);

/// The names of the tables, each once, in the table's order.
[[nodiscard]] std::vector<std::string_view> profile_tables();

/// The keys of one table, those with a shape of their own included.
[[nodiscard]] std::vector<std::string_view> keys_of_table(std::string_view table);

/// Whether `item` is a value that `key` can have.
/// \throws Error naming the item's place and the nearest known word.
void check_word(const ProfileKey& key, const Item& item);

/// Puts `value` where `key` belongs, the way one option or one line of a profile does. A list gets it added.
/// \throws Error as check_word.
void write_key(Profile& profile, const ProfileKey& key, const std::string& value, const Origin& origin);

} // namespace sandbox
