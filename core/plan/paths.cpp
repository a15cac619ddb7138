#include "core/plan/paths.hpp"

#include <algorithm>

namespace sandbox::paths {

bool is_within(std::string_view path, std::string_view folder) {
    if (folder == "/") {
        return path.starts_with('/');
    }
    return !folder.empty() && path.starts_with(folder) && (path.size() == folder.size() || path[folder.size()] == '/');
}

bool is_below(std::string_view path, std::string_view folder) {
    return path != folder && is_within(path, folder);
}

std::string_view behind(std::string_view path, std::string_view folder) {
    if (folder == "/") {
        return path == "/" ? std::string_view() : path;
    }
    return path.substr(folder.size());
}

std::string parent(std::string_view path) {
    const std::size_t slash = path.rfind('/');
    return slash == 0 || slash == std::string_view::npos ? "/" : std::string(path.substr(0, slash));
}

std::string join(std::string_view folder, std::string_view name) {
    while (name.starts_with('/')) {
        name.remove_prefix(1);
    }
    if (name.empty()) {
        return std::string(folder);
    }
    std::string result(folder);
    if (!result.ends_with('/')) {
        result += '/';
    }
    return result.append(name);
}

std::vector<std::string> components(std::string_view path) {
    std::vector<std::string> names;
    while (!path.empty()) {
        const std::size_t slash = path.find('/');
        const std::string_view name = path.substr(0, slash);
        if (!name.empty() && name != ".") {
            names.emplace_back(name);
        }
        path = slash == std::string_view::npos ? std::string_view() : path.substr(slash + 1);
    }
    return names;
}

std::size_t depth(std::string_view path) {
    return components(path).size();
}

std::string normal(std::string_view path) {
    std::string result;
    for (const std::string& name : components(path)) {
        result += '/';
        result += name;
    }
    return result.empty() ? "/" : result;
}

bool Before::operator()(std::string_view left, std::string_view right) const {
    const auto rank = [](char byte) { return byte == '/' ? 0U : 1U + static_cast<unsigned char>(byte); };
    const std::string_view left_names = left == "/" ? std::string_view() : left;
    const std::string_view right_names = right == "/" ? std::string_view() : right;
    return std::ranges::lexicographical_compare(left_names, right_names, {}, rank, rank);
}

} // namespace sandbox::paths
