#include "core/image/import_names.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <optional>

#include "core/base/error.hpp"
#include "core/plan/image_reference.hpp"

namespace sandbox::image {

namespace {

std::optional<std::string> as_reference(const std::string& text) {
    try {
        return parse_reference(text).full();
    } catch (const Error&) {
        return std::nullopt;
    }
}

/// "/a/Debian.tar.xz" -> "debian".
std::string base_name(std::string name) {
    while (name.size() > 1 && name.ends_with('/')) {
        name.pop_back();
    }
    name.erase(0, name.rfind('/') == std::string::npos ? 0 : name.rfind('/') + 1);
    constexpr std::array<std::string_view, 8> kEndings = {".gz",  ".xz",  ".zst", ".zstd",
                                                          ".tgz", ".txz", ".tar", ".oci"};
    for (std::size_t before = 0; before != name.size();) {
        before = name.size();
        for (const std::string_view ending : kEndings) {
            if (name.size() > ending.size() && name.ends_with(ending)) {
                name.resize(name.size() - ending.size());
            }
        }
    }
    std::ranges::transform(name, name.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    return name;
}

} // namespace

std::vector<std::string> choose_names(const std::vector<std::string>& asked, const std::vector<std::string>& delivered,
                                      const std::string& source) {
    if (!asked.empty()) {
        return asked;
    }
    std::vector<std::string> names;
    const std::string base = base_name(source);
    for (const std::string& name : delivered) {
        // An OCI layout often knows the tag alone: "12".
        const bool is_whole = name.find_first_of(":/") != std::string::npos;
        if (const auto reference = as_reference(is_whole ? name : base + ":" + name)) {
            names.push_back(*reference);
        }
    }
    if (names.empty()) {
        if (const auto reference = as_reference(base)) {
            names.push_back(*reference);
        }
    }
    if (names.empty()) {
        throw Error("the image in " + quoted(source) + " has no name").fix("give it one: --name NAME");
    }
    return names;
}

} // namespace sandbox::image
