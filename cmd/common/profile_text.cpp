#include "cmd/common/profile_text.hpp"

#define TOML_ENABLE_FORMATTERS 0
#include <toml++/toml.h>

#include <algorithm>
#include <array>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "cmd/common/profile_keys.hpp"
#include "core/plan/nearest.hpp"

namespace sandbox {

namespace {

constexpr std::array<std::string_view, 4> kOperators = {"==", "in", "&", "!&"};
constexpr std::array<std::string_view, 3> kRuleKeys = {"syscalls", "action", "when"};
constexpr std::array<std::string_view, 3> kConditionKeys = {"arg", "op", "value"};
constexpr std::array<std::string_view, 1> kListKeys = {"add"};

std::string_view type_name(const toml::node& node) {
    switch (node.type()) {
    case toml::node_type::table:
        return "a table";
    case toml::node_type::array:
        return "a list";
    case toml::node_type::string:
        return "a string";
    case toml::node_type::integer:
        return "a number";
    case toml::node_type::floating_point:
        return "a number with a fraction";
    case toml::node_type::boolean:
        return "true or false";
    default:
        return "a date or time";
    }
}

/// Walks the tables of one file; every mistake is noted with its place, and reading goes on behind it.
class Reader {
public:
    explicit Reader(const std::string& source) : source_(source) {}

    ProfileText read(const toml::table& root) {
        const std::vector<std::string_view> tables = profile_tables();
        for (const auto& [key, node] : root) {
            if (std::ranges::find(tables, key.str()) != tables.end()) {
                if (const toml::table* table = as_table(node, key.str())) {
                    read_table(key.str(), *table);
                }
            } else if (key == "extends") {
                read_extends(node);
            } else if (const ProfileKey* known = find_profile_key("", key.str())) {
                read_key(*known, node);
            } else {
                std::vector<std::string_view> names = keys_of_table("");
                names.insert(names.end(), tables.begin(), tables.end());
                unknown_key(key, node.is_table() ? "table" : "key", "", names);
            }
        }
        return std::move(result_);
    }

    /// In the order of the file: tables are kept sorted by name, so reading them finds mistakes in another order.
    std::vector<Error> mistakes() {
        std::ranges::stable_sort(mistakes_, {}, &Mistake::position);
        std::vector<Error> errors;
        for (Mistake& mistake : mistakes_) {
            errors.push_back(std::move(mistake.error));
        }
        return errors;
    }

private:
    struct Mistake {
        std::pair<std::uint32_t, std::uint32_t> position;
        Error error;
    };

    Origin origin_at(const toml::source_region& region, std::string key) const {
        return {Origin::Kind::file, source_, region.begin.line, region.begin.column, std::move(key)};
    }

    void note(const Origin& origin, Error error) {
        mistakes_.push_back({{origin.line, origin.column}, std::move(error)});
    }

    void wrong_type(const toml::node& node, const std::string& key, std::string_view wanted,
                    std::string_view fix = "") {
        const Origin origin = origin_at(node.source(), key);
        Error error(fmt::format("{}: {} must be {}, not {}", origin.place(), key, wanted, type_name(node)));
        if (!fix.empty()) {
            error.fix(std::string(fix));
        }
        note(origin, std::move(error));
    }

    template <class Names>
    void unknown_key(const toml::key& key, std::string_view what, std::string_view where, const Names& names) {
        const Origin origin = origin_at(key.source(), std::string(where));
        Error error(fmt::format("{}: unknown {} {}{}", origin.place(), what, quoted(key.str()),
                                where.empty() ? "" : fmt::format(" in {}", where)));
        const std::string near = nearest(key.str(), std::span<const std::string_view>(names));
        if (!near.empty()) {
            error.fix(fmt::format("did you mean '{}'?", near));
        } else if (const std::string home = table_that_has(key.str()); !home.empty()) {
            error.fix(fmt::format("'{}' belongs in [{}]", key.str(), home));
        } else {
            error.fix(fmt::format("one of: {}", fmt::join(names, ", ")));
        }
        note(origin, std::move(error));
    }

    /// The table that does have a key which was written elsewhere; empty where none has.
    static std::string table_that_has(std::string_view name) {
        for (const std::string_view table : profile_tables()) {
            if (std::ranges::count(keys_of_table(table), name) > 0) {
                return std::string(table);
            }
        }
        return "";
    }

    const toml::table* as_table(const toml::node& node, std::string_view name) {
        if (!node.is_table()) {
            wrong_type(node, std::string(name), "a table", fmt::format("write [{}] and its keys below", name));
        }
        return node.as_table();
    }

    /// A word that is there, holds no NUL, and is one of the key's words.
    bool acceptable(const ProfileKey& key, const Item& item) {
        try {
            check_word(key, item);
            return true;
        } catch (const Error& error) {
            note(item.origin, error);
            return false;
        }
    }

    void read_extends(const toml::node& node) {
        const toml::value<std::string>* value = node.as_string();
        if (value == nullptr) {
            wrong_type(node, "extends", "a string", "extends = \"default\"");
            return;
        }
        result_.extends = Item{value->get(), origin_at(node.source(), "extends")};
    }

    void read_table(std::string_view name, const toml::table& table) {
        for (const auto& [key, node] : table) {
            const ProfileKey* known = find_profile_key(name, key.str());
            if (known != nullptr) {
                read_key(*known, node);
            } else if (name == "environment" && key == "set") {
                read_variables(node);
            } else if (name == "seccomp" && key == "rule") {
                read_rules(node);
            } else {
                unknown_key(key, "key", fmt::format("[{}]", name), keys_of_table(name));
            }
        }
    }

    void read_key(const ProfileKey& key, const toml::node& node) {
        if (std::holds_alternative<ProfileKey::Words>(key.field)) {
            read_list(key, node);
        } else if (std::holds_alternative<ProfileKey::Flag>(key.field)) {
            read_flag(key, node);
        } else {
            read_text(key, node);
        }
    }

    void read_flag(const ProfileKey& key, const toml::node& node) {
        const toml::value<bool>* value = node.as_boolean();
        if (value == nullptr) {
            wrong_type(node, key.full_name(), "true or false");
            return;
        }
        std::get<ProfileKey::Flag>(key.field)(result_.profile)
            .set(value->get(), origin_at(node.source(), key.full_name()));
    }

    void read_text(const ProfileKey& key, const toml::node& node) {
        Item item{"", origin_at(node.source(), key.full_name())};
        if (const toml::value<std::string>* value = node.as_string()) {
            item.text = value->get();
        } else if (const toml::value<std::int64_t>* number = node.as_integer();
                   number != nullptr && key.full_name() == "ids.user") {
            item.text = std::to_string(number->get()); // user = 1000
        } else {
            wrong_type(node, key.full_name(), "a string");
            return;
        }
        if (acceptable(key, item)) {
            std::get<ProfileKey::Text>(key.field)(result_.profile).set(item.text, item.origin);
        }
    }

    void read_list(const ProfileKey& key, const toml::node& node) {
        List& list = std::get<ProfileKey::Words>(key.field)(result_.profile);
        if (const toml::array* array = node.as_array()) {
            list.replaces = !key.always_adds;
            list.origin = origin_at(node.source(), key.full_name());
            read_words(key, *array, list);
            return;
        }
        const toml::table* table = node.as_table();
        if (table == nullptr) {
            wrong_type(node, key.full_name(), "a list of strings", fmt::format("{} = [\"...\"]", key.name));
            return;
        }
        for (const auto& [name, value] : *table) {
            if (name != "add") {
                unknown_key(name, "key", key.full_name(), kListKeys);
            } else if (const toml::array* added = value.as_array()) {
                read_words(key, *added, list);
            } else {
                wrong_type(value, key.full_name() + ".add", "a list of strings");
            }
        }
    }

    void read_words(const ProfileKey& key, const toml::array& array, List& list) {
        const std::string name = key.full_name();
        list.items.reserve(list.items.size() + array.size());
        for (const toml::node& node : array) {
            const toml::value<std::string>* value = node.as_string();
            if (value == nullptr) {
                wrong_type(node, fmt::format("an entry of {}", name), "a string");
                continue;
            }
            Item item{value->get(), origin_at(node.source(), name)};
            if (acceptable(key, item)) {
                list.items.push_back(std::move(item));
            }
        }
    }

    void read_variables(const toml::node& node) {
        const toml::table* table = node.as_table();
        if (table == nullptr) {
            wrong_type(node, "environment.set", "a table", "set = { NAME = \"value\" }");
            return;
        }
        for (const auto& [key, value] : *table) {
            const std::string name(key.str());
            const Origin origin = origin_at(value.source(), "environment.set");
            const toml::value<std::string>* text = value.as_string();
            if (text == nullptr) {
                wrong_type(value, "environment.set." + escaped(name), "a string");
                continue;
            }
            try {
                check_variable_name(name, origin);
                if (text->get().find('\0') != std::string::npos) {
                    throw Error(fmt::format("{}: {} holds a NUL character", origin.place(), quoted(name)));
                }
                result_.profile.environment.set[name].set(text->get(), origin);
            } catch (const Error& error) {
                note(origin, error);
            }
        }
    }

    void read_rules(const toml::node& node) {
        const toml::array* rules = node.as_array();
        if (rules == nullptr) {
            wrong_type(node, "seccomp.rule", "an array of tables", "write [[seccomp.rule]] with two brackets");
            return;
        }
        for (const toml::node& rule : *rules) {
            if (const toml::table* table = rule.as_table()) {
                read_rule(*table);
            } else {
                wrong_type(rule, "seccomp.rule", "a table");
            }
        }
    }

    void read_rule(const toml::table& table) {
        SeccompRule rule;
        rule.origin = origin_at(table.source(), "seccomp.rule");
        const std::size_t mistakes_before = mistakes_.size();
        for (const auto& [key, node] : table) {
            if (key == "syscalls") {
                rule.syscalls = read_values(node, "seccomp.rule.syscalls", false);
            } else if (key == "action") {
                if (std::optional<Item> action = read_value(node, "seccomp.rule.action", false)) {
                    rule.action = std::move(*action);
                }
            } else if (key == "when") {
                rule.conditions = read_conditions(node);
            } else {
                unknown_key(key, "key", "[[seccomp.rule]]", kRuleKeys);
            }
        }
        if (mistakes_.size() == mistakes_before && (rule.syscalls.empty() || rule.action.text.empty())) {
            const std::string_view missing = rule.syscalls.empty() ? "syscalls" : "action";
            note(rule.origin, Error(fmt::format("{}: the rule has no {}", rule.origin.place(), missing))
                                  .fix("[[seccomp.rule]] needs syscalls = [\"...\"] and action = \"...\""));
        }
        if (mistakes_.size() == mistakes_before) {
            result_.profile.seccomp.rules.push_back(std::move(rule));
        }
    }

    std::vector<SeccompCondition> read_conditions(const toml::node& node) {
        std::vector<SeccompCondition> conditions;
        const toml::array* array = node.as_array();
        if (array == nullptr) {
            wrong_type(node, "seccomp.rule.when", "a list of tables",
                       R"(when = [{ arg = 0, op = "==", value = "AF_UNIX" }])");
            return conditions;
        }
        for (const toml::node& entry : *array) {
            if (const toml::table* table = entry.as_table()) {
                conditions.push_back(read_condition(*table));
            } else {
                wrong_type(entry, "seccomp.rule.when", "a list of tables");
            }
        }
        return conditions;
    }

    SeccompCondition read_condition(const toml::table& table) {
        SeccompCondition condition;
        condition.origin = origin_at(table.source(), "seccomp.rule.when");
        bool has_argument = false;
        bool has_value = false;
        for (const auto& [key, node] : table) {
            if (key == "arg") {
                has_argument = true;
                read_argument(node, condition);
            } else if (key == "op") {
                read_operator(node, condition);
            } else if (key == "value") {
                has_value = true;
                condition.values = read_values(node, "seccomp.rule.when.value", true);
            } else {
                unknown_key(key, "key", "seccomp.rule.when", kConditionKeys);
            }
        }
        if (!has_argument || !has_value) {
            note(condition.origin,
                 Error(fmt::format("{}: the condition has no {}", condition.origin.place(),
                                   has_argument ? "value" : "arg"))
                     .fix(R"(a condition is { arg = 0, op = "==", value = "AF_UNIX" })"));
        } else if (condition.op == "==" && condition.values.size() > 1) {
            note(condition.origin,
                 Error(fmt::format("{}: '==' compares with one value", condition.origin.place()))
                     .fix("op = \"in\" holds for any of several values"));
        }
        return condition;
    }

    void read_argument(const toml::node& node, SeccompCondition& condition) {
        const toml::value<std::int64_t>* number = node.as_integer();
        if (number == nullptr) {
            wrong_type(node, "seccomp.rule.when.arg", "a number");
            return;
        }
        if (number->get() < 0 || number->get() > 5) {
            const Origin origin = origin_at(node.source(), "seccomp.rule.when.arg");
            note(origin, Error(fmt::format("{}: a system call has no argument {}", origin.place(), number->get()))
                             .fix("arg counts from 0 to 5"));
            return;
        }
        condition.argument = static_cast<unsigned>(number->get());
    }

    void read_operator(const toml::node& node, SeccompCondition& condition) {
        const toml::value<std::string>* text = node.as_string();
        if (text == nullptr) {
            wrong_type(node, "seccomp.rule.when.op", "a string");
            return;
        }
        if (std::ranges::find(kOperators, text->get()) == kOperators.end()) {
            const Origin origin = origin_at(node.source(), "seccomp.rule.when.op");
            note(origin, Error(fmt::format("{}: unknown operator {}", origin.place(), quoted(text->get())))
                             .fix(fmt::format("one of: {}", fmt::join(kOperators, ", "))));
            return;
        }
        condition.op = text->get();
    }

    /// One value or a list of them.
    std::vector<Item> read_values(const toml::node& node, const std::string& key, bool numbers) {
        std::vector<Item> items;
        const toml::array* array = node.as_array();
        if (array == nullptr) {
            if (std::optional<Item> item = read_value(node, key, numbers)) {
                items.push_back(std::move(*item));
            }
            return items;
        }
        for (const toml::node& entry : *array) {
            if (std::optional<Item> item = read_value(entry, key, numbers)) {
                items.push_back(std::move(*item));
            }
        }
        if (array->empty()) {
            const Origin origin = origin_at(node.source(), key);
            note(origin, Error(fmt::format("{}: {} is an empty list", origin.place(), key)));
        }
        return items;
    }

    std::optional<Item> read_value(const toml::node& node, const std::string& key, bool numbers) {
        const Origin origin = origin_at(node.source(), key);
        if (const toml::value<std::string>* text = node.as_string()) {
            if (text->get().empty() || text->get().find('\0') != std::string::npos) {
                note(origin, Error(fmt::format("{}: {} cannot be empty or hold a NUL", origin.place(), key)));
                return std::nullopt;
            }
            return Item{text->get(), origin};
        }
        if (const toml::value<std::int64_t>* number = node.as_integer(); number != nullptr && numbers) {
            return Item{std::to_string(number->get()), origin};
        }
        wrong_type(node, key, numbers ? "a string or a number" : "a string");
        return std::nullopt;
    }

    const std::string& source_;
    ProfileText result_;
    std::vector<Mistake> mistakes_;
};

/// Blanks the lines that are nothing but a plain remark: toml++ takes some 15 ns a character, and a good profile is a
/// third remarks. Lines and columns stay. Where a string may go over several lines nothing is touched.
std::string without_remarks(std::string_view text) {
    if (text.find("\"\"\"") != std::string_view::npos || text.find("'''") != std::string_view::npos) {
        return std::string(text);
    }
    const auto printable = [](char c) { return (c >= ' ' && c <= '~') || c == '\t'; };
    std::string kept;
    kept.reserve(text.size());
    for (std::size_t start = 0; start < text.size();) {
        const std::size_t end = std::min(text.find('\n', start), text.size());
        const std::string_view line = text.substr(start, end - start);
        const std::size_t first = line.find_first_not_of(" \t");
        const bool remark = first != std::string_view::npos && line[first] == '#' && std::ranges::all_of(line, printable);
        kept += remark ? "" : line;
        kept += end < text.size() ? "\n" : "";
        start = end + 1;
    }
    return kept;
}

/// The place of byte `offset`: lines and columns count from 1.
Origin origin_of_byte(std::string_view text, std::size_t offset, const std::string& source) {
    const std::string_view before = text.substr(0, offset);
    const std::size_t line_start = before.rfind('\n') == std::string_view::npos ? 0 : before.rfind('\n') + 1;
    return {Origin::Kind::file, source, static_cast<std::uint32_t>(std::ranges::count(before, '\n') + 1),
            static_cast<std::uint32_t>(offset - line_start + 1), ""};
}

} // namespace

ProfileText parse_profile(std::string_view text, const std::string& source, std::vector<Error>& mistakes) {
    if (const std::size_t nul = text.find('\0'); nul != std::string_view::npos) {
        mistakes.push_back(Error(fmt::format("{}: the profile holds a NUL byte",
                                             origin_of_byte(text, nul, source).place()))
                               .fix("a profile is text: UTF-8, TOML"));
        return {};
    }
    try {
        const toml::table root = toml::parse(without_remarks(text), source);
        Reader reader(source);
        ProfileText result = reader.read(root);
        for (Error& mistake : reader.mistakes()) {
            mistakes.push_back(std::move(mistake));
        }
        return result;
    } catch (const toml::parse_error& error) {
        const Origin origin{Origin::Kind::file, source, error.source().begin.line, error.source().begin.column, ""};
        mistakes.push_back(
            Error(fmt::format("{}: this is not TOML: {}", origin.place(), escaped(error.description()))));
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
