#include "cmd/common/toml_tree.hpp"

#define TOML_ENABLE_FORMATTERS 0
#include <algorithm>
#include <toml++/toml.h>

#include <fmt/format.h>

#include "core/base/error.hpp"
#include "core/plan/origin.hpp"

namespace sandbox {

namespace {

TomlPlace place_of(const toml::source_region& region) {
    return {region.begin.line, region.begin.column};
}

TomlNode convert(const toml::node& node) {
    using Type = TomlNode::Type;
    TomlNode result;
    result.place = place_of(node.source());
    switch (node.type()) {
    case toml::node_type::table:
        result.type = Type::table;
        for (const auto& [key, value] : *node.as_table()) {
            result.members.push_back({std::string(key.str()), place_of(key.source()), convert(value)});
        }
        break;
    case toml::node_type::array:
        result.type = Type::list;
        for (const toml::node& item : *node.as_array()) {
            result.items.push_back(convert(item));
        }
        break;
    case toml::node_type::string:
        result.type = Type::string;
        result.text = node.as_string()->get();
        break;
    case toml::node_type::integer:
        result.type = Type::number;
        result.number = node.as_integer()->get();
        break;
    case toml::node_type::boolean:
        result.type = Type::boolean;
        result.number = node.as_boolean()->get() ? 1 : 0;
        break;
    case toml::node_type::floating_point:
        result.type = Type::fraction;
        result.text = fmt::format("{}", node.as_floating_point()->get());
        break;
    default:
        result.type = Type::time;
        break;
    }
    return result;
}

} // namespace

bool TomlNode::operator==(const TomlNode&) const = default;

namespace {

/// Each dot of a key is a table more, and toml++ limits the depth of brackets alone: its destructor would recurse until
/// the stack is used up. No value of a profile has that many dots in a line.
void refuse_deep_keys(std::string_view text, const std::string& source) {
    constexpr std::ptrdiff_t kMostDots = 1000;
    std::uint32_t line_number = 0;
    while (!text.empty()) {
        ++line_number;
        const std::string_view line = text.substr(0, text.find('\n'));
        text.remove_prefix(std::min(text.size(), line.size() + 1));
        if (std::ranges::count(line, '.') > kMostDots) {
            const Origin origin{Origin::Kind::file, source, line_number, 1, {}};
            throw Error(fmt::format("{}: more than {} dots in a line", origin.place(), kMostDots))
                .cause("each dot of a key is a table in a table");
        }
    }
}

} // namespace

TomlNode read_any_toml(std::string_view text, const std::string& source) {
    refuse_deep_keys(text, source);
    try {
        return convert(toml::parse(text, source));
    } catch (const toml::parse_error& error) {
        const Origin origin{Origin::Kind::file, source, error.source().begin.line, error.source().begin.column, ""};
        throw Error(fmt::format("{}: this is not TOML: {}", origin.place(), escaped(error.description())));
    }
}

TomlNode read_toml(std::string_view text, const std::string& source) {
    std::optional<TomlNode> plain = read_plain_toml(text);
    return plain ? std::move(*plain) : read_any_toml(text, source);
}

} // namespace sandbox
