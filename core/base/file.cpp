#include "core/base/file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "core/base/fd.hpp"

namespace sandbox {

bool write_all(int descriptor, std::string_view text) {
    while (!text.empty()) {
        const ssize_t count = ::write(descriptor, text.data(), text.size());
        if (count < 0 && errno == EINTR) {
            continue;
        }
        if (count < 0) {
            return false;
        }
        text.remove_prefix(static_cast<std::size_t>(count));
    }
    return true;
}

bool read_all(int descriptor, std::size_t limit, std::string& text) {
    char buffer[8192];
    while (text.size() < limit) {
        const ssize_t count = ::read(descriptor, buffer, std::min(sizeof buffer, limit - text.size()));
        if (count < 0 && errno == EINTR) {
            continue;
        }
        if (count <= 0) {
            return count == 0;
        }
        text.append(buffer, static_cast<std::size_t>(count));
    }
    return true;
}

std::string read_small_file(const std::string& path) {
    constexpr std::size_t kLargest = std::size_t{16} << 20;
    const Fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY));
    std::string text;
    return file && read_all(file.get(), kLargest, text) ? text : std::string();
}

std::string read_line(const std::string& path) {
    std::string text = read_small_file(path);
    text.erase(std::min(text.find('\n'), text.size()));
    return text;
}

int make_directories(const std::string& path) {
    for (std::size_t slash = path.find('/', 1);; slash = path.find('/', slash + 1)) {
        if (::mkdir(path.substr(0, slash).c_str(), S_IRWXU) < 0 && errno != EEXIST && errno != EACCES &&
            errno != EROFS) {
            return errno;
        }
        if (slash == std::string::npos) {
            return 0;
        }
    }
}

} // namespace sandbox
