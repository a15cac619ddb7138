#include "cmd/common/profile_writer.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "cmd/common/overrides.hpp"
#include "cmd/common/profile_keys.hpp"

namespace sandbox {

namespace {

/// A TOML basic string.
std::string string_of(std::string_view text) {
    std::string result = "\"";
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if (c == '"' || c == '\\') {
            result += '\\';
            result += c;
        } else if (byte < 0x20 || byte == 0x7f) {
            result += fmt::format("\\u{:04x}", byte);
        } else {
            result += c;
        }
    }
    return result + "\"";
}

/// A number as a number, everything else as a string.
std::string value_of(const std::string& text) {
    const bool plain = !text.empty() && text.size() < 19 &&
                       std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; }) &&
                       (text.size() == 1 || text.front() != '0');
    return plain ? text : string_of(text);
}

std::string bare_or_quoted(const std::string& key) {
    const bool bare = !key.empty() && std::ranges::all_of(key, [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
    });
    return bare ? key : string_of(key);
}

class Writer {
public:
    explicit Writer(const Profile& profile) : profile_(profile), overrides_(overridden_values(profile)) {}

    std::string write() {
        std::vector<std::string> files;
        for (const std::string& file : profile_.lineage) {
            files.push_back(escaped(file));
        }
        text_ = fmt::format("# The profile {}, merged from {}\n", quoted(profile_.name), fmt::join(files, ", "));
        std::string_view table;
        for (const ProfileKey& key : profile_keys()) {
            if (key.table != table) {
                finish(table);
                table = key.table;
                pending_header_ = fmt::format("\n[{}]\n", table);
            }
            write_key(key);
        }
        finish(table);
        return std::move(text_);
    }

private:
    void finish(std::string_view table) {
        if (table == "environment") {
            write_variables();
        } else if (table == "seccomp") {
            write_rules();
        }
        pending_header_.clear();
    }

    void line(const std::string& text) {
        text_ += pending_header_;
        pending_header_.clear();
        text_ += text + "\n";
    }

    static std::string comment(const Origin& origin) { return "  # " + origin.place(); }

    /// What `key` has lost, a comment a value.
    void write_overridden(const std::string& key) {
        for (const Override& value : overrides_) {
            if (value.key == key) {
                line(fmt::format("# {} overrides {} from {}", value.by.place(), quoted(value.value),
                                 value.origin.place()));
            }
        }
    }

    void write_key(const ProfileKey& key) {
        const std::string name = key.full_name();
        if (const auto* words = std::get_if<ProfileKey::Words>(&key.field)) {
            write_list(key.name, (*words)(profile_));
        } else if (const auto* flag = std::get_if<ProfileKey::Flag>(&key.field)) {
            const Setting<bool>& setting = (*flag)(profile_);
            if (setting) {
                line(fmt::format("{} = {}{}", key.name, *setting.value ? "true" : "false", comment(setting.origin)));
            }
        } else {
            const Setting<std::string>& setting = std::get<ProfileKey::Text>(key.field)(profile_);
            if (!setting) {
                // nothing is said
            } else if (name == "seccomp.extends") { // its table is already here
                line(fmt::format("# this table starts from that of {}: {}", quoted(*setting.value),
                                 setting.origin.place()));
            } else {
                line(fmt::format("{} = {}{}", key.name, string_of(*setting.value), comment(setting.origin)));
            }
        }
        write_overridden(name);
    }

    void write_list(std::string_view name, const List& list) {
        if (!list.written()) {
            return;
        }
        if (list.items.empty()) {
            line(fmt::format("{} = []{}", name, list.replaces ? comment(list.origin) : ""));
            return;
        }
        line(fmt::format("{} = [", name));
        for (const Item& item : list.items) {
            line(fmt::format("    {},{}", string_of(item.text), comment(item.origin)));
        }
        line("]");
    }

    void write_variables() {
        bool first = true;
        for (const auto& [name, setting] : profile_.environment.set) {
            if (setting) {
                if (first) {
                    pending_header_.clear();
                    line("\n[environment.set]");
                    first = false;
                }
                line(
                    fmt::format("{} = {}{}", bare_or_quoted(name), string_of(*setting.value), comment(setting.origin)));
            }
            write_overridden("environment.set." + name);
        }
    }

    static std::string values_of(const std::vector<Item>& items, bool numbers) {
        std::vector<std::string> values;
        for (const Item& item : items) {
            values.push_back(numbers ? value_of(item.text) : string_of(item.text));
        }
        return values.size() == 1 && numbers ? values.front() : fmt::format("[{}]", fmt::join(values, ", "));
    }

    void write_rules() {
        for (const SeccompRule& rule : profile_.seccomp.rules) {
            pending_header_.clear();
            line(fmt::format("\n[[seccomp.rule]]{}", comment(rule.origin)));
            line(fmt::format("syscalls = {}", values_of(rule.syscalls, false)));
            line(fmt::format("action = {}", string_of(rule.action.text)));
            if (rule.quiet) {
                line("quiet = true");
            }
            std::vector<std::string> conditions;
            for (const SeccompCondition& condition : rule.conditions) {
                conditions.push_back(fmt::format("{{ arg = {}, op = {}, value = {} }}", condition.argument,
                                                 string_of(condition.op), values_of(condition.values, true)));
            }
            if (!conditions.empty()) {
                line(fmt::format("when = [{}]", fmt::join(conditions, ", ")));
            }
        }
    }

    Profile profile_;
    std::vector<Override> overrides_;
    std::string text_;
    std::string pending_header_; ///< written with the first key of its table
};

} // namespace

std::string profile_to_toml(const Profile& profile) {
    return Writer(profile).write();
}

} // namespace sandbox
