#include "cmd/common/profile_mistakes.hpp"

#include <algorithm>
#include <tuple>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "cmd/common/profile_keys.hpp"
#include "core/plan/nearest.hpp"

namespace sandbox {

namespace {

std::string_view type_name(TomlNode::Type type) {
    using Type = TomlNode::Type;
    switch (type) {
    case Type::table:
        return "a table";
    case Type::list:
        return "a list";
    case Type::string:
        return "a string";
    case Type::number:
        return "a number";
    case Type::fraction:
        return "a number with a fraction";
    case Type::boolean:
        return "true or false";
    case Type::time:
        return "a date or time";
    }
    return "";
}

/// The table that does have a key which was written elsewhere; empty where none has.
std::string_view table_that_has(std::string_view name) {
    for (const std::string_view table : profile_tables()) {
        if (std::ranges::count(keys_of_table(table), name) > 0) {
            return table;
        }
    }
    return "";
}

} // namespace

Origin ProfileMistakes::at(TomlPlace place, SharedText key) const {
    return {Origin::Kind::file, source_, place.line, place.column, std::move(key)};
}

void ProfileMistakes::add(const Origin& origin, Error error) {
    mistakes_.push_back({{origin.line, origin.column}, std::move(error)});
}

void ProfileMistakes::wrong_type(const TomlNode& node, const SharedText& key, std::string_view wanted,
                                 std::string_view fix) {
    const Origin origin = at(node.place, key);
    Error error(fmt::format("{}: {} must be {}, not {}", origin.place(), key, wanted, type_name(node.type)));
    if (!fix.empty()) {
        error.fix(std::string(fix));
    }
    add(origin, std::move(error));
}

void ProfileMistakes::unknown_key(const TomlMember& member, std::string_view what, std::string_view where,
                                  std::span<const std::string_view> names) {
    const Origin origin = at(member.place, std::string(where));
    Error error(fmt::format("{}: unknown {} {}{}", origin.place(), what, quoted(member.key),
                            where.empty() ? "" : fmt::format(" in {}", where)));
    const std::string near = nearest(member.key, names);
    const std::string_view home = table_that_has(member.key);
    if (!near.empty()) {
        error.fix(fmt::format("did you mean '{}'?", near));
    } else if (!home.empty()) {
        error.fix(fmt::format("'{}' belongs in [{}]", member.key, home));
    } else {
        error.fix(fmt::format("one of: {}", fmt::join(names, ", ")));
    }
    add(origin, std::move(error));
}

std::vector<Error> ProfileMistakes::take() {
    std::ranges::stable_sort(
        mistakes_, {}, [](const Mistake& mistake) { return std::tuple(mistake.place.line, mistake.place.column); });
    std::vector<Error> errors;
    for (Mistake& mistake : mistakes_) {
        errors.push_back(std::move(mistake.error));
    }
    mistakes_.clear();
    return errors;
}

} // namespace sandbox
