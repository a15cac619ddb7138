#include "cmd/common/json.hpp"

namespace sandbox {

Json to_json(const Origin& origin) {
    switch (origin.kind) {
    case Origin::Kind::built_in:
        return {{"kind", "built-in"}, {"source", origin.source.str()}};
    case Origin::Kind::option:
        return {{"kind", "option"}, {"source", origin.source.str()}};
    case Origin::Kind::file:
        break;
    }
    return {{"kind", "file"},
            {"source", origin.source.str()},
            {"line", origin.line},
            {"column", origin.column},
            {"key", origin.key.str()}};
}

Json with_origin(Json value, const Origin& origin) {
    return {{"value", std::move(value)}, {"origin", to_json(origin)}};
}

Json to_json(const std::vector<Override>& overrides) {
    Json result = Json::array();
    for (const Override& value : overrides) {
        result.push_back(
            {{"key", value.key}, {"value", value.value}, {"origin", to_json(value.origin)}, {"by", to_json(value.by)}});
    }
    return result;
}

std::string to_text(const Json& document) {
    return document.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

} // namespace sandbox
