#include "cmd/common/profile_text.hpp"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "cmd/common/profile_keys.hpp"
#include "cmd/common/profile_mistakes.hpp"
#include "cmd/common/profile_rules.hpp"
#include "cmd/common/toml_tree.hpp"
#include "core/plan/environment_plan.hpp"

namespace sandbox {

namespace {

using Type = TomlNode::Type;

constexpr std::array<std::string_view, 1> kListKeys = {"add"};

/// Walks the tables of one file.
class Reader {
public:
    explicit Reader(ProfileMistakes& mistakes) : mistakes_(mistakes) {}

    ProfileText read(const TomlNode& root) {
        const std::vector<std::string_view> tables = profile_tables();
        for (const TomlMember& member : root.members) {
            const TomlNode& node = member.value;
            if (std::ranges::find(tables, member.key) != tables.end()) {
                read_table(member.key, node);
            } else if (member.key == "extends") {
                read_extends(node);
            } else if (const ProfileKey* known = find_profile_key("", member.key)) {
                read_key(*known, node);
            } else {
                std::vector<std::string_view> names = keys_of_table("");
                names.insert(names.end(), tables.begin(), tables.end());
                mistakes_.unknown_key(member, node.is(Type::table) ? "table" : "key", "", names);
            }
        }
        return std::move(result_);
    }

private:
    /// A word that is there, holds no NUL, and is one of the key's words.
    bool acceptable(const ProfileKey& key, const Item& item) {
        try {
            check_word(key, item);
            return true;
        } catch (const Error& error) {
            mistakes_.add(item.origin, error);
            return false;
        }
    }

    void read_extends(const TomlNode& node) {
        if (node.is(Type::string)) {
            result_.extends = Item{node.text, mistakes_.at(node.place, "extends")};
        } else {
            mistakes_.wrong_type(node, "extends", "a string", "extends = \"default\"");
        }
    }

    void read_table(const std::string& name, const TomlNode& table) {
        if (!table.is(Type::table)) {
            mistakes_.wrong_type(table, name, "a table", fmt::format("write [{}] and its keys below", name));
        }
        for (const TomlMember& member : table.members) {
            if (const ProfileKey* known = find_profile_key(name, member.key)) {
                read_key(*known, member.value);
            } else if (name == "environment" && member.key == "set") {
                read_variables(member.value);
            } else if (name == "seccomp" && member.key == "rule") {
                result_.profile.seccomp.rules = read_seccomp_rules(member.value, mistakes_);
            } else {
                mistakes_.unknown_key(member, "key", fmt::format("[{}]", name), keys_of_table(name));
            }
        }
    }

    void read_key(const ProfileKey& key, const TomlNode& node) {
        if (std::holds_alternative<ProfileKey::Words>(key.field)) {
            read_list(key, node);
        } else if (std::holds_alternative<ProfileKey::Flag>(key.field)) {
            read_flag(key, node);
        } else {
            read_text(key, node);
        }
    }

    void read_flag(const ProfileKey& key, const TomlNode& node) {
        if (node.is(Type::boolean)) {
            std::get<ProfileKey::Flag>(key.field)(result_.profile)
                .set(node.number != 0, mistakes_.at(node.place, key.full_name()));
        } else {
            mistakes_.wrong_type(node, key.full_name(), "true or false");
        }
    }

    void read_text(const ProfileKey& key, const TomlNode& node) {
        const std::string name = key.full_name();
        const bool is_number = node.is(Type::number) && !key.number.empty();
        const bool is_fraction = node.is(Type::fraction) && key.takes_fractions();
        if (!node.is(Type::string) && !is_number && !is_fraction) {
            mistakes_.wrong_type(node, name,
                                 key.number.empty()      ? "a string"
                                 : key.takes_fractions() ? "a string or a number"
                                                         : "a string or a whole number",
                                 key.number.empty() ? "" : fmt::format("{} = \"{}\"", key.name, key.number));
            return;
        }
        const Item item{is_number ? std::to_string(node.number) : node.text, mistakes_.at(node.place, name)};
        if (acceptable(key, item)) {
            std::get<ProfileKey::Text>(key.field)(result_.profile).set(item.text, item.origin);
        }
    }

    /// A plain list, or `{ add = [...] }`.
    void read_list(const ProfileKey& key, const TomlNode& node) {
        List& list = std::get<ProfileKey::Words>(key.field)(result_.profile);
        const SharedText name = key.full_name();
        if (node.is(Type::list)) {
            list.replaces = !key.always_adds;
            list.origin = mistakes_.at(node.place, name);
            read_words(key, name, node, list);
        } else if (!node.is(Type::table)) {
            mistakes_.wrong_type(node, name, "a list of strings", fmt::format("{} = [\"...\"]", key.name));
        }
        for (const TomlMember& member : node.members) {
            if (member.key != "add") {
                mistakes_.unknown_key(member, "key", name, kListKeys);
            } else if (member.value.is(Type::list)) {
                read_words(key, name, member.value, list);
            } else {
                mistakes_.wrong_type(member.value, name.str() + ".add", "a list of strings");
            }
        }
    }

    void read_words(const ProfileKey& key, const SharedText& name, const TomlNode& array, List& list) {
        list.items.reserve(list.items.size() + array.items.size());
        for (const TomlNode& node : array.items) {
            if (!node.is(Type::string)) {
                mistakes_.wrong_type(node, fmt::format("an entry of {}", name), "a string");
                continue;
            }
            Item item{node.text, mistakes_.at(node.place, name)};
            if (acceptable(key, item)) {
                list.items.push_back(std::move(item));
            }
        }
    }

    void read_variables(const TomlNode& node) {
        if (!node.is(Type::table)) {
            mistakes_.wrong_type(node, "environment.set", "a table", "set = { NAME = \"value\" }");
        }
        for (const TomlMember& member : node.members) {
            if (!member.value.is(Type::string)) {
                mistakes_.wrong_type(member.value, "environment.set." + escaped(member.key), "a string");
                continue;
            }
            const Origin origin = mistakes_.at(member.value.place, "environment.set");
            try {
                check_variable(member.key, member.value.text, origin);
                result_.profile.environment.set[member.key].set(member.value.text, origin);
            } catch (const Error& error) {
                mistakes_.add(origin, error);
            }
        }
    }

    ProfileMistakes& mistakes_;
    ProfileText result_;
};

/// The place of byte `offset`.
Origin origin_of_byte(std::string_view text, std::size_t offset, const std::string& source) {
    const std::string_view before = text.substr(0, offset);
    const std::size_t line_start = before.rfind('\n') == std::string_view::npos ? 0 : before.rfind('\n') + 1;
    return {Origin::Kind::file, source, static_cast<std::uint32_t>(std::ranges::count(before, '\n') + 1),
            static_cast<std::uint32_t>(offset - line_start + 1), ""};
}

} // namespace

ProfileText parse_profile(std::string_view text, const std::string& source, std::vector<Error>& mistakes) {
    try {
        if (const std::size_t nul = text.find('\0'); nul != std::string_view::npos) {
            throw Error(fmt::format("{}: the profile holds a NUL byte", origin_of_byte(text, nul, source).place()))
                .fix("a profile is text: UTF-8, TOML");
        }
        ProfileMistakes found(source);
        ProfileText result = Reader(found).read(read_toml(text, source));
        for (Error& mistake : found.take()) {
            mistakes.push_back(std::move(mistake));
        }
        return result;
    } catch (const Error& error) {
        mistakes.push_back(error);
        return {};
    }
}

ProfileText parse_profile(std::string_view text, const std::string& source) {
    std::vector<Error> mistakes;
    ProfileText result = parse_profile(text, source, mistakes);
    if (!mistakes.empty()) {
        throw mistakes.front();
    }
    return result;
}

} // namespace sandbox
