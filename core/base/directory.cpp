#include "core/base/directory.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <string_view>

#include "core/base/fd.hpp"

namespace sandbox {

std::optional<std::vector<std::string>> list_directory(int directory, std::size_t most) {
    // A description of its own: the caller's keeps its place.
    Fd opened(::openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    const std::unique_ptr<DIR, int (*)(DIR*)> stream(opened ? ::fdopendir(opened.get()) : nullptr, ::closedir);
    if (!stream) {
        return std::nullopt;
    }
    static_cast<void>(opened.release()); // the stream's now
    std::vector<std::string> names;
    errno = 0; // the end and a failure look alike
    for (const dirent* entry = nullptr; names.size() < most && (entry = ::readdir(stream.get())) != nullptr;) {
        const std::string_view name = entry->d_name;
        if (name != "." && name != "..") {
            names.emplace_back(name);
        }
    }
    if (errno != 0) {
        return std::nullopt;
    }
    std::ranges::sort(names);
    return names;
}

std::optional<std::vector<std::string>> list_directory(const std::string& path) {
    const Fd directory(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    return directory ? list_directory(directory.get()) : std::nullopt;
}

} // namespace sandbox
