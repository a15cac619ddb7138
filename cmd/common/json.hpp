// JSON as our programs print it: members in the order in which they were written, two spaces, a newline at the end.
#pragma once

#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "cmd/common/overrides.hpp"
#include "core/plan/origin.hpp"

namespace sandbox {

using Json = nlohmann::ordered_json;

/// {"kind": "file", "source": ..., "line": ..., "column": ..., "key": ...}; an option and a default have no place.
[[nodiscard]] Json to_json(const Origin& origin);

/// {"value": ..., "origin": ...}.
[[nodiscard]] Json with_origin(Json value, const Origin& origin);

[[nodiscard]] Json to_json(const std::vector<Override>& overrides);

/// A published port, planned or recorded.
template <class Port> [[nodiscard]] Json port_json(const Port& port) {
    return {{"address", port.address},
            {"protocol", port.is_udp ? "udp" : "tcp"},
            {"host_port", port.host_port},
            {"sandbox_port", port.sandbox_port}};
}

/// Bytes that are no UTF-8 become U+FFFD.
[[nodiscard]] std::string to_text(const Json& document);

} // namespace sandbox
