#include "core/plan/image_record.hpp"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "core/base/error.hpp"
#include "core/plan/image_reference.hpp"

namespace sandbox {

namespace {

constexpr std::string_view kFirstLine = "sandbox-image 1";

/// A value on one line.
std::string escape_line(std::string_view value) {
    std::string text;
    for (const char c : value) {
        if (c == '\\') {
            text += "\\\\";
        } else if (c == '\n') {
            text += "\\n";
        } else {
            text += c;
        }
    }
    return text;
}

std::string unescape_line(std::string_view text) {
    std::string value;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '\\' && i + 1 < text.size()) {
            ++i;
            value += text[i] == 'n' ? '\n' : text[i];
        } else {
            value += text[i];
        }
    }
    return value;
}

[[noreturn]] void damaged(const std::string& file, const std::string& cause) {
    throw Error("the image store's file " + quoted(file) + " is damaged")
        .cause(cause)
        .fix("sandboxctl image verify; then import the image again");
}

/// Cuts the first line off.
std::string_view take_line(std::string_view& text) {
    const std::size_t end = text.find('\n');
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    return line;
}

using Member = std::string ImageConfig::*;
using ListMember = std::vector<std::string> ImageConfig::*;

constexpr std::array<std::pair<std::string_view, ListMember>, 3> kLists = {{
    {"environment", &ImageConfig::environment},
    {"entrypoint", &ImageConfig::entrypoint},
    {"command", &ImageConfig::command},
}};
constexpr std::array<std::pair<std::string_view, Member>, 5> kWords = {{
    {"workdir", &ImageConfig::workdir},
    {"user", &ImageConfig::user},
    {"stop-signal", &ImageConfig::stop_signal},
    {"architecture", &ImageConfig::architecture},
    {"os", &ImageConfig::os},
}};

bool read_config_line(std::string_view name, std::string_view value, ImageConfig& config) {
    for (const auto& [known, member] : kLists) {
        if (name == known) {
            (config.*member).push_back(unescape_line(value));
            return true;
        }
    }
    for (const auto& [known, member] : kWords) {
        if (name == known) {
            config.*member = unescape_line(value);
            return true;
        }
    }
    return false;
}

} // namespace

bool is_layer_name(std::string_view name) {
    constexpr std::size_t kDigits = 64;
    constexpr std::size_t kChainDigits = 16;
    constexpr std::string_view kSingle = ".single";
    if (name.ends_with(kSingle)) {
        name.remove_suffix(kSingle.size());
    }
    if (name.size() == kDigits) {
        return is_hex(name);
    }
    return name.size() == kDigits + 1 + kChainDigits && name[kDigits] == '-' && is_hex(name.substr(0, kDigits)) &&
           is_hex(name.substr(kDigits + 1));
}

std::string to_text(const ImageRecord& record) {
    std::string text(kFirstLine);
    text += '\n';
    if (record.single_owner) {
        text += "single-owner\n";
    }
    for (const std::string& layer : record.layers) {
        text += fmt::format("layer {}\n", layer);
    }
    for (const auto& [name, member] : kLists) {
        for (const std::string& value : record.config.*member) {
            text += fmt::format("{} {}\n", name, escape_line(value));
        }
    }
    for (const auto& [name, member] : kWords) {
        if (!(record.config.*member).empty()) {
            text += fmt::format("{} {}\n", name, escape_line(record.config.*member));
        }
    }
    return text + "end\n";
}

ImageRecord read_image_record(std::string_view text, const std::string& file) {
    ImageRecord record;
    if (take_line(text) != kFirstLine) {
        damaged(file, "its first line is not '" + std::string(kFirstLine) + "'");
    }
    while (!text.empty()) {
        const std::string_view line = take_line(text);
        const std::size_t space = line.find(' ');
        const std::string_view name = line.substr(0, space);
        const std::string_view value = space == std::string_view::npos ? "" : line.substr(space + 1);
        if (name == "end" && text.empty()) {
            return record;
        }
        if (name == "single-owner") {
            record.single_owner = true;
        } else if (name == "layer" && is_layer_name(value) && record.layers.size() < kMostLayers) {
            record.layers.emplace_back(value);
        } else if (name == "layer" || !read_config_line(name, value, record.config)) {
            damaged(file, "it has the line " + quoted(line.substr(0, 200)));
        }
    }
    damaged(file, "its last line is missing");
}

std::string to_text(const StoreIndex& index) {
    std::string text;
    std::set<std::string> nameless = index.images;
    for (const auto& [name, id] : index.names) {
        text += fmt::format("{} {}\n", name, id);
        nameless.erase(id);
    }
    for (const std::string& id : nameless) {
        text += fmt::format("- {}\n", id);
    }
    return text;
}

StoreIndex read_index(std::string_view text, const std::string& file) {
    StoreIndex index;
    while (!text.empty()) {
        const std::string_view line = take_line(text);
        const std::size_t space = line.find(' ');
        if (space == std::string_view::npos || space == 0 || !is_digest(line.substr(space + 1))) {
            damaged(file, "it has the line " + quoted(line.substr(0, 200)));
        }
        index.images.emplace(line.substr(space + 1));
        if (const std::string_view name = line.substr(0, space); name != "-") {
            index.names.emplace(name, line.substr(space + 1));
        }
    }
    return index;
}

} // namespace sandbox
