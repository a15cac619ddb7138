#include "core/plan/paths.hpp"

#include <algorithm>

namespace sandbox::paths {

bool is_within(std::string_view path, std::string_view directory) {
    if (directory == "/") {
        return path.starts_with('/');
    }
    return !directory.empty() && path.starts_with(directory) &&
           (path.size() == directory.size() || path[directory.size()] == '/');
}

bool is_below(std::string_view path, std::string_view directory) {
    return path != directory && is_within(path, directory);
}

std::string_view behind(std::string_view path, std::string_view directory) {
    if (directory == "/") {
        return path == "/" ? std::string_view() : path;
    }
    return path.substr(directory.size());
}

std::string parent(std::string_view path) {
    const std::size_t slash = path.rfind('/');
    return slash == 0 || slash == std::string_view::npos ? "/" : std::string(path.substr(0, slash));
}

std::string join(std::string_view directory, std::string_view name) {
    while (name.starts_with('/')) {
        name.remove_prefix(1);
    }
    if (name.empty()) {
        return std::string(directory);
    }
    std::string result(directory);
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
