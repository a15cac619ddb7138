#include "core/image/layer_path.hpp"

#include <cerrno>

#include <algorithm>
#include <climits>

#include <fmt/format.h>

#include "core/base/error.hpp"

namespace sandbox::image {

namespace {

constexpr std::string_view kWhiteout = ".wh.";
constexpr std::string_view kMetadata = ".wh..wh.";
constexpr std::string_view kOpaque = ".wh..wh..opq";

[[noreturn]] void refuse(std::string_view entry, const std::string& cause) {
    throw Error("cannot unpack " + shown(entry))
        .cause(cause)
        .fix("get the image from somebody else: no tool makes this");
}

Components read_components(std::string_view path, std::string_view entry) {
    if (path.size() >= PATH_MAX) {
        refuse(entry, fmt::format("its path has {} bytes, and the kernel takes {}", path.size(), PATH_MAX - 1));
    }
    Components components = split(path);
    for (const std::string& component : components) {
        if (component == "..") {
            refuse(entry, "'..' in a path leads out of the layer");
        }
        if (component.size() > NAME_MAX) {
            refuse(entry,
                   fmt::format("a name in it has {} bytes, and the kernel takes {}", component.size(), NAME_MAX));
        }
    }
    return components;
}

} // namespace

Components split(std::string_view path) {
    Components components;
    while (!path.empty()) {
        const std::size_t slash = path.find('/');
        const std::string_view component = path.substr(0, slash);
        if (!component.empty() && component != ".") {
            components.emplace_back(component);
        }
        path.remove_prefix(slash == std::string_view::npos ? path.size() : slash + 1);
    }
    return components;
}

std::string join(const Components& components) {
    std::string path;
    for (const std::string& component : components) {
        path += path.empty() ? "" : "/";
        path += component;
    }
    return path;
}

std::string join(const std::string& parent, const std::string& name) {
    return parent.empty() ? name : parent + "/" + name;
}

std::string shown(std::string_view name) {
    constexpr std::size_t kLongest = 200;
    constexpr std::size_t kEnd = 40;
    if (name.size() <= kLongest) {
        return quoted(name);
    }
    return quoted(name.substr(0, kLongest - kEnd)) + "..." + quoted(name.substr(name.size() - kEnd));
}

LayerName read_layer_name(std::string_view name) {
    LayerName result;
    result.parents = read_components(name, name);
    if (result.parents.empty()) {
        return result;
    }
    for (const std::string& parent : result.parents) {
        if (parent.starts_with(kMetadata) && parent != kOpaque) {
            result.kind = LayerName::Kind::metadata;
            return result;
        }
    }
    result.name = std::move(result.parents.back());
    result.parents.pop_back();
    if (std::ranges::any_of(result.parents, [](const std::string& parent) { return parent.starts_with(kWhiteout); })) {
        refuse(name, "a whiteout is no directory");
    }
    if (result.name == kOpaque) {
        result.kind = LayerName::Kind::opaque;
        result.name.clear();
    } else if (result.name.starts_with(kWhiteout)) {
        result.kind = LayerName::Kind::whiteout;
        result.name.erase(0, kWhiteout.size());
        if (result.name.empty() || result.name == "." || result.name == "..") {
            refuse(name, "this whiteout hides no name");
        }
    }
    return result;
}

Components read_link_target(std::string_view target, std::string_view entry) {
    Components components = read_components(target, entry);
    if (components.empty()) {
        refuse(entry, "a hard link cannot lead to a directory");
    }
    return components;
}

void refuse_entry(const std::string& entry, const std::string& cause) {
    throw Error("cannot unpack " + shown(entry)).cause(cause);
}

void refuse_entry(const std::string& entry, int error_number) {
    Error error("cannot unpack " + shown(entry));
    error.kernel(error_number);
    if (error_number == ENOSPC || error_number == EDQUOT) {
        error.fix("make room: sandboxctl image prune; or set XDG_DATA_HOME to a directory on a larger disk");
    }
    throw error;
}

} // namespace sandbox::image
