#include "core/plan/origin.hpp"

#include <fmt/format.h>

#include "core/base/error.hpp"

namespace sandbox {

std::string Origin::place() const {
    switch (kind) {
    case Kind::built_in:
        return "built-in " + (source.empty() ? "default" : source.str());
    case Kind::option:
        return escaped(source);
    case Kind::file:
        return fmt::format("{}:{}:{}", escaped(source), line, column);
    }
    return source.str();
}

Origin built_in(std::string source) {
    Origin origin;
    origin.source = std::move(source);
    return origin;
}

std::string written_at(const Origin& origin) {
    return origin.key.empty() || origin.kind == Origin::Kind::option ? origin.place()
                                                                     : origin.place() + ": " + origin.key.str();
}

} // namespace sandbox
