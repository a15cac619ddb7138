#include "cmd/common/profile_rules.hpp"

#include <algorithm>
#include <array>
#include <optional>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace sandbox {

namespace {

using Type = TomlNode::Type;

constexpr std::array<std::string_view, 4> kOperators = {"==", "in", "&", "!&"};
constexpr std::array<std::string_view, 4> kRuleKeys = {"syscalls", "action", "when", "quiet"};
constexpr std::array<std::string_view, 3> kConditionKeys = {"arg", "op", "value"};
constexpr std::int64_t kLastArgument = 5;

class RuleReader {
public:
    explicit RuleReader(ProfileMistakes& mistakes) : mistakes_(mistakes) {}

    std::optional<SeccompRule> read(const TomlNode& table) {
        SeccompRule rule;
        rule.origin = mistakes_.at(table.place, "seccomp.rule");
        const std::size_t before = mistakes_.count();
        for (const TomlMember& member : table.members) {
            if (member.key == "syscalls") {
                rule.syscalls = read_values(member.value, "seccomp.rule.syscalls", false);
            } else if (member.key == "action") {
                rule.action = read_value(member.value, "seccomp.rule.action", false).value_or(Item{});
            } else if (member.key == "when") {
                rule.conditions = read_conditions(member.value);
            } else if (member.key == "quiet") {
                rule.quiet = read_quiet(member.value);
            } else {
                mistakes_.unknown_key(member, "key", "[[seccomp.rule]]", kRuleKeys);
            }
        }
        if (mistakes_.count() > before) {
            return std::nullopt;
        }
        if (rule.syscalls.empty() || rule.action.text.empty()) {
            mistakes_.add(rule.origin, Error(fmt::format("{}: the rule has no {}", rule.origin.place(),
                                                         rule.syscalls.empty() ? "syscalls" : "action"))
                                           .fix("[[seccomp.rule]] needs syscalls = [\"...\"] and action = \"...\""));
            return std::nullopt;
        }
        return rule;
    }

private:
    bool read_quiet(const TomlNode& node) {
        if (!node.is(Type::boolean)) {
            mistakes_.wrong_type(node, "seccomp.rule.quiet", "true or false");
        }
        return node.is(Type::boolean) && node.number != 0;
    }

    std::vector<SeccompCondition> read_conditions(const TomlNode& node) {
        std::vector<SeccompCondition> conditions;
        if (!node.is(Type::list)) {
            mistakes_.wrong_type(node, "seccomp.rule.when", "a list of tables",
                                 R"(when = [{ arg = 0, op = "==", value = "AF_UNIX" }])");
        }
        for (const TomlNode& entry : node.items) {
            if (entry.is(Type::table)) {
                conditions.push_back(read_condition(entry));
            } else {
                mistakes_.wrong_type(entry, "seccomp.rule.when", "a list of tables");
            }
        }
        return conditions;
    }

    SeccompCondition read_condition(const TomlNode& table) {
        SeccompCondition condition;
        condition.origin = mistakes_.at(table.place, "seccomp.rule.when");
        bool has_argument = false;
        bool has_value = false;
        for (const TomlMember& member : table.members) {
            if (member.key == "arg") {
                has_argument = true;
                read_argument(member.value, condition);
            } else if (member.key == "op") {
                read_operator(member.value, condition);
            } else if (member.key == "value") {
                has_value = true;
                condition.values = read_values(member.value, "seccomp.rule.when.value", true);
            } else {
                mistakes_.unknown_key(member, "key", "seccomp.rule.when", kConditionKeys);
            }
        }
        if (!has_argument || !has_value) {
            mistakes_.add(condition.origin, Error(fmt::format("{}: the condition has no {}", condition.origin.place(),
                                                              has_argument ? "value" : "arg"))
                                                .fix(R"(a condition is { arg = 0, op = "==", value = "AF_UNIX" })"));
        } else if (condition.op == "==" && condition.values.size() > 1) {
            mistakes_.add(condition.origin,
                          Error(fmt::format("{}: '==' compares with one value", condition.origin.place()))
                              .fix("op = \"in\" holds for any of several values"));
        }
        return condition;
    }

    void read_argument(const TomlNode& node, SeccompCondition& condition) {
        if (!node.is(Type::number)) {
            mistakes_.wrong_type(node, "seccomp.rule.when.arg", "a number");
        } else if (node.number < 0 || node.number > kLastArgument) {
            const Origin origin = mistakes_.at(node.place, "seccomp.rule.when.arg");
            mistakes_.add(origin,
                          Error(fmt::format("{}: a system call has no argument {}", origin.place(), node.number))
                              .fix(fmt::format("arg counts from 0 to {}", kLastArgument)));
        } else {
            condition.argument = static_cast<unsigned>(node.number);
        }
    }

    void read_operator(const TomlNode& node, SeccompCondition& condition) {
        if (!node.is(Type::string)) {
            mistakes_.wrong_type(node, "seccomp.rule.when.op", "a string");
        } else if (std::ranges::find(kOperators, node.text) == kOperators.end()) {
            const Origin origin = mistakes_.at(node.place, "seccomp.rule.when.op");
            mistakes_.add(origin, Error(fmt::format("{}: unknown operator {}", origin.place(), quoted(node.text)))
                                      .fix(fmt::format("one of: {}", fmt::join(kOperators, ", "))));
        } else {
            condition.op = node.text;
        }
    }

    /// One value or a list of them.
    std::vector<Item> read_values(const TomlNode& node, const SharedText& key, bool numbers) {
        std::vector<Item> items;
        if (!node.is(Type::list)) {
            if (std::optional<Item> item = read_value(node, key, numbers)) {
                items.push_back(std::move(*item));
            }
            return items;
        }
        for (const TomlNode& entry : node.items) {
            if (std::optional<Item> item = read_value(entry, key, numbers)) {
                items.push_back(std::move(*item));
            }
        }
        if (node.items.empty()) {
            const Origin origin = mistakes_.at(node.place, key);
            mistakes_.add(origin, Error(fmt::format("{}: {} is an empty list", origin.place(), key)));
        }
        return items;
    }

    std::optional<Item> read_value(const TomlNode& node, const SharedText& key, bool numbers) {
        Origin origin = mistakes_.at(node.place, key);
        if (node.is(Type::number) && numbers) {
            return Item{std::to_string(node.number), std::move(origin)};
        }
        if (!node.is(Type::string)) {
            mistakes_.wrong_type(node, key, numbers ? "a string or a number" : "a string");
            return std::nullopt;
        }
        if (node.text.empty() || node.text.find('\0') != std::string::npos) {
            mistakes_.add(origin, Error(fmt::format("{}: {} cannot be empty or hold a NUL", origin.place(), key)));
            return std::nullopt;
        }
        return Item{node.text, std::move(origin)};
    }

    ProfileMistakes& mistakes_;
};

} // namespace

std::vector<SeccompRule> read_seccomp_rules(const TomlNode& node, ProfileMistakes& mistakes) {
    std::vector<SeccompRule> rules;
    if (!node.is(Type::list)) {
        mistakes.wrong_type(node, "seccomp.rule", "an array of tables", "write [[seccomp.rule]] with two brackets");
    }
    for (const TomlNode& entry : node.items) {
        if (!entry.is(Type::table)) {
            mistakes.wrong_type(entry, "seccomp.rule", "a table");
        } else if (std::optional<SeccompRule> rule = RuleReader(mistakes).read(entry)) {
            rules.push_back(std::move(*rule));
        }
    }
    return rules;
}

} // namespace sandbox
