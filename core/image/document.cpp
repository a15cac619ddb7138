#include "core/image/document.hpp"

#include <fmt/format.h>

#include "core/base/error.hpp"
#include "core/plan/image_reference.hpp"

namespace sandbox::image {

namespace {

const nlohmann::json kNothing;

[[noreturn]] void refuse_document(const std::string& file, const std::string& cause) {
    throw Error("cannot read the image's " + sandbox::quoted(file)).cause(cause).fix("fetch the image again");
}

} // namespace

nlohmann::json Node::parse(std::string_view text, const std::string& file) {
    try {
        return nlohmann::json::parse(text);
    } catch (const nlohmann::json::parse_error& error) {
        refuse_document(file, fmt::format("it is no JSON from byte {} on", error.byte));
    } catch (const nlohmann::json::out_of_range&) {
        // Not a parse_error: 1e400 is JSON, but no double.
        refuse_document(file, "it holds a number that is too large");
    }
}

void Node::refuse(const std::string& cause) const {
    refuse_document(file_, place_.empty() ? cause : fmt::format("{}: {}", place_, cause));
}

void Node::expect_object() const {
    if (!value_->is_object()) {
        refuse("an object is wanted here");
    }
}

Node Node::member(const char* name) const {
    std::string place = place_.empty() ? name : place_ + "." + name;
    if (value_->is_null()) {
        return {kNothing, file_, std::move(place)};
    }
    expect_object();
    const auto found = value_->find(name);
    return {found == value_->end() ? kNothing : *found, file_, std::move(place)};
}

std::string Node::text() const {
    if (value_->is_null()) {
        return "";
    }
    if (!value_->is_string()) {
        refuse("a text is wanted here");
    }
    std::string text = *value_;
    if (text.find('\0') != std::string::npos) {
        refuse("a text with a zero byte is none that a program could get");
    }
    return text;
}

std::vector<Node> Node::items(std::size_t most) const {
    std::vector<Node> nodes;
    if (value_->is_null()) {
        return nodes;
    }
    if (!value_->is_array()) {
        refuse("a list is wanted here");
    }
    if (value_->size() > most) {
        refuse(fmt::format("it has {} items, and {} is the most", value_->size(), most));
    }
    for (std::size_t i = 0; i < value_->size(); ++i) {
        nodes.emplace_back((*value_)[i], file_, fmt::format("{}[{}]", place_, i));
    }
    return nodes;
}

std::vector<std::string> Node::texts() const {
    constexpr std::size_t kMost = 100'000;
    std::vector<std::string> texts;
    for (const Node& item : items(kMost)) {
        if (!item.is_there()) {
            item.refuse("a text is wanted here");
        }
        texts.push_back(item.text());
    }
    return texts;
}

std::string Node::digest() const {
    std::string digest = text();
    if (!is_digest(digest)) {
        refuse("a digest is sha256: and 64 hexadecimal digits here, not " + sandbox::quoted(digest.substr(0, 100)));
    }
    return digest;
}

std::uint64_t Node::size() const {
    if (!value_->is_number_integer() || (!value_->is_number_unsigned() && value_->get<std::int64_t>() < 0)) {
        refuse("a size in bytes is wanted here");
    }
    return *value_;
}

} // namespace sandbox::image
