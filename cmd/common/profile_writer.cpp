#include "cmd/common/profile_writer.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "cmd/common/overrides.hpp"
#include "cmd/common/profile_keys.hpp"
#include "core/base/error.hpp"

namespace sandbox {

namespace {

/// How many bytes the UTF-8 character that begins with `first` has.
std::size_t utf8_width(char first) {
    const auto byte = static_cast<unsigned char>(first);
    return byte < 0xc0 ? 1 : byte < 0xe0 ? 2 : byte < 0xf0 ? 3 : 4;
}

std::uint32_t code_point(std::string_view character) {
    constexpr std::uint32_t kFirstBits[] = {0x7f, 0x1f, 0x0f, 0x07};
    std::uint32_t value = static_cast<unsigned char>(character.front()) & kFirstBits[character.size() - 1];
    for (const char byte : character.substr(1)) {
        value = (value << 6) | (static_cast<unsigned char>(byte) & 0x3fU);
    }
    return value;
}

/// A number as a number, everything else as a string.
std::string value_of(const std::string& text) {
    const bool plain = !text.empty() && text.size() < 19 &&
                       std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; }) &&
                       (text.size() == 1 || text.front() != '0');
    return plain ? text : toml_string(text);
}

std::string bare_or_quoted(const std::string& key) {
    const bool bare = !key.empty() && std::ranges::all_of(key, [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
    });
    return bare ? key : toml_string(key);
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
                line(fmt::format("{} = {}{}", key.name, toml_string(*setting.value), comment(setting.origin)));
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
            line(fmt::format("    {},{}", toml_string(item.text), comment(item.origin)));
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
                line(fmt::format("{} = {}{}", bare_or_quoted(name), toml_string(*setting.value),
                                 comment(setting.origin)));
            }
            write_overridden("environment.set." + name);
        }
    }

    static std::string values_of(const std::vector<Item>& items, bool numbers) {
        std::vector<std::string> values;
        for (const Item& item : items) {
            values.push_back(numbers ? value_of(item.text) : toml_string(item.text));
        }
        return values.size() == 1 && numbers ? values.front() : fmt::format("[{}]", fmt::join(values, ", "));
    }

    void write_rules() {
        for (const SeccompRule& rule : profile_.seccomp.rules) {
            pending_header_.clear();
            line(fmt::format("\n[[seccomp.rule]]{}", comment(rule.origin)));
            line(fmt::format("syscalls = {}", values_of(rule.syscalls, false)));
            line(fmt::format("action = {}", toml_string(rule.action.text)));
            if (rule.quiet) {
                line("quiet = true");
            }
            std::vector<std::string> conditions;
            for (const SeccompCondition& condition : rule.conditions) {
                conditions.push_back(fmt::format("{{ arg = {}, op = {}, value = {} }}", condition.argument,
                                                 toml_string(condition.op), values_of(condition.values, true)));
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

std::string toml_string(std::string_view text) {
    std::string result = "\"";
    while (!text.empty()) {
        const std::string_view character = text.substr(0, utf8_width(text.front()));
        const auto byte = static_cast<unsigned char>(character.front());
        if (byte == '"' || byte == '\\') {
            result += '\\';
            result += character;
        } else if (byte < 0x20 || byte == 0x7f || (character.size() > 1 && escaped(character) != character)) {
            result += fmt::format("\\u{:04x}", code_point(character));
        } else {
            result += character;
        }
        text.remove_prefix(character.size());
    }
    return result + "\"";
}

std::string profile_to_toml(const Profile& profile) {
    return Writer(profile).write();
}

} // namespace sandbox
