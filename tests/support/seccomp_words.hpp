// A [[seccomp]] table in a few words of C++.
#pragma once

#include <initializer_list>
#include <string>
#include <utility>
#include <vector>

#include "core/plan/profile.hpp"

namespace sandbox::test {

/// A word that stands in line `line` of strict.toml.
inline Item word(std::string text, std::uint32_t line = 14) {
    return {.text = std::move(text),
            .origin = {.kind = Origin::Kind::file, .source = "strict.toml", .line = line, .column = 9, .key = ""}};
}

inline std::vector<Item> words(std::initializer_list<const char*> texts) {
    std::vector<Item> items;
    for (const char* text : texts) {
        items.push_back(word(text));
    }
    return items;
}

inline SeccompCondition when(unsigned argument, std::string op, std::initializer_list<const char*> values) {
    return {.argument = argument, .op = std::move(op), .values = words(values), .origin = word("").origin};
}

inline SeccompRule rule(std::initializer_list<const char*> syscalls, const char* action,
                        std::vector<SeccompCondition> conditions = {}) {
    return {.syscalls = words(syscalls),
            .action = word(action),
            .conditions = std::move(conditions),
            .origin = word("", 20).origin};
}

/// A profile with `default`, `allow`, `deny` and rules.
inline Profile filter(const char* default_action, std::initializer_list<const char*> allow,
                      std::initializer_list<const char*> deny = {}, std::vector<SeccompRule> rules = {}) {
    Profile profile;
    profile.seccomp.default_action.set(default_action, word("", 12).origin);
    profile.seccomp.allow.items = words(allow);
    profile.seccomp.deny.items = words(deny);
    profile.seccomp.rules = std::move(rules);
    return profile;
}

} // namespace sandbox::test
