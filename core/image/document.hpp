// A JSON document of somebody else's making, read member by member, with errors that name the member.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

namespace sandbox::image {

/// A value in a document, with its place for messages.
class Node {
public:
    /// Parses a whole document. \throws Error
    [[nodiscard]] static nlohmann::json parse(std::string_view text, const std::string& file);

    Node(const nlohmann::json& value, std::string file, std::string place = "")
        : value_(&value), file_(std::move(file)), place_(std::move(place)) {}

    /// A member that is missing, or null, is an empty Node: Go writes null for an empty list.
    [[nodiscard]] Node member(const char* name) const;
    [[nodiscard]] bool is_there() const { return !value_->is_null(); }

    /// \throws Error where it is something else; a missing one is empty.
    [[nodiscard]] std::string text() const;
    [[nodiscard]] std::vector<std::string> texts() const;
    [[nodiscard]] std::vector<Node> items(std::size_t most) const;
    [[nodiscard]] std::string digest() const;
    [[nodiscard]] std::uint64_t size() const;

    void expect_object() const;
    [[noreturn]] void refuse(const std::string& cause) const;

private:
    const nlohmann::json* value_;
    std::string file_;
    std::string place_; ///< "layers[3].digest"
};

} // namespace sandbox::image
