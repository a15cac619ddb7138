#include "core/observed_paths.hpp"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <cstddef>
#include <cstring>
#include <filesystem>
#include <optional>
#include <string_view>
#include <tuple>
#include <utility>

#include <fmt/format.h>

namespace sandbox {

namespace {

constexpr std::uint64_t kPage = 4096; // no page is smaller

bool read_memory(pid_t pid, std::uint64_t address, void* into, std::size_t size) {
    const iovec local{into, size};
    const iovec remote{reinterpret_cast<void*>(address), size}; // NOLINT(performance-no-int-to-ptr): another's address
    return ::process_vm_readv(pid, &local, 1, &remote, 1, 0) == static_cast<ssize_t>(size);
}

/// The string at `address`; nothing where it cannot be read or is no path. Page by page: the next may not be there.
std::optional<std::string> read_string(pid_t pid, std::uint64_t address) {
    std::string text;
    while (text.size() < PATH_MAX) {
        std::array<char, kPage> part{};
        const std::size_t size = std::min<std::uint64_t>(kPage - address % kPage, text.empty() ? 256 : kPage);
        if (!read_memory(pid, address, part.data(), size)) {
            return std::nullopt;
        }
        const std::string_view read(part.data(), size);
        const std::size_t end = read.find('\0');
        text.append(read.substr(0, end));
        if (end != std::string_view::npos) {
            return text;
        }
        address += size;
    }
    return std::nullopt;
}

/// The name in a socket's address; empty where it has none: another family, an abstract or an unnamed one.
std::optional<std::string> read_socket_name(pid_t pid, const NamedPath& named) {
    sockaddr_un address{};
    const std::size_t size = std::min<std::size_t>(named.length, sizeof address);
    if (size <= offsetof(sockaddr_un, sun_path) || !read_memory(pid, named.address, &address, size)) {
        return std::nullopt;
    }
    return address.sun_family == AF_UNIX
               ? std::string(address.sun_path, ::strnlen(address.sun_path, sizeof address.sun_path))
               : std::string();
}

/// Where a relative name starts: the kernel tells it as the process itself sees it.
std::optional<std::string> directory_of(pid_t pid, int descriptor) {
    const std::string link =
        descriptor == AT_FDCWD ? fmt::format("/proc/{}/cwd", pid) : fmt::format("/proc/{}/fd/{}", pid, descriptor);
    std::array<char, PATH_MAX> target{};
    const ssize_t size = ::readlink(link.c_str(), target.data(), target.size());
    // "pipe:[1]" and "(unreachable)/x" are no places that a name could start from.
    return size > 0 && target[0] == '/' ? std::optional(std::string(target.data(), static_cast<std::size_t>(size)))
                                        : std::nullopt;
}

std::optional<ObservedPath> observed(pid_t pid, NamedPath named) {
    std::optional<std::string> path = named.is_socket ? read_socket_name(pid, named) : read_string(pid, named.address);
    if (!path || path->empty()) { // "": the descriptor itself, which was looked at when it was opened
        return std::nullopt;
    }
    if (named.how != 0) {
        open_how how{};
        if (!read_memory(pid, named.how, &how, sizeof how)) {
            return std::nullopt;
        }
        named = path_calls::opened(named, how.flags);
    }
    if (path->front() != '/') {
        const std::optional<std::string> directory = directory_of(pid, named.directory);
        if (!directory) {
            return std::nullopt;
        }
        path = *directory + "/" + *path;
    }
    return ObservedPath{.path = *std::move(path), .use = named.use, .follows_last_link = named.follows_last_link};
}

/// Nothing where the call fails, profile or not: core/path_calls.hpp.
std::optional<PathUse> settled(const ObservedPath& named) {
    struct stat status {};
    const bool is_there = ::fstatat(AT_FDCWD, named.path.c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0;
    switch (named.use) {
    case PathUse::make:
        return is_there ? std::nullopt : std::optional(PathUse::put);
    case PathUse::take_away:
        return is_there ? std::optional(PathUse::put) : std::nullopt;
    case PathUse::open_new:
        return is_there ? PathUse::open_new : PathUse::put;
    default:
        return is_there ? std::optional(named.use) : std::nullopt;
    }
}

bool makes(PathUse use) {
    return use == PathUse::open_new || use == PathUse::make || use == PathUse::put;
}

std::string normal(const std::string& path) {
    return std::filesystem::path(path).lexically_normal().string();
}

} // namespace

std::strong_ordering ObservedPath::operator<=>(const ObservedPath& other) const {
    const std::strong_ordering sizes = path.size() <=> other.path.size();
    return std::is_neq(sizes) ? sizes
                              : std::tie(path, use, follows_last_link, after_make) <=>
                                    std::tie(other.path, other.use, other.follows_last_link, other.after_make);
}

bool ObservedPaths::is_after_make(const ObservedPath& named) const {
    const bool changes = makes(named.use) || named.use == PathUse::write || named.use == PathUse::take_away;
    return !changes && !made_.empty() && made_.contains(normal(named.path));
}

void ObservedPaths::see(pid_t pid, const seccomp_data& call, const std::function<bool()>& is_valid,
                        const std::function<std::string()>& program) {
    for (const NamedPath& named : path_calls::names_of(call)) {
        errno = 0;
        std::optional<ObservedPath> path = observed(pid, named);
        if (!path && named.use != PathUse::execute && (errno == EPERM || errno == EACCES)) {
            // A program that its user may not read. Until CMD's own process has executed CMD it cannot be read either,
            // so that no execve(2) is counted.
            ++left_out_;
        }
        if (path && changes_host_) {
            const std::optional<PathUse> use = settled(*path);
            path = use ? std::optional(ObservedPath{
                             .path = path->path, .use = *use, .follows_last_link = path->follows_last_link})
                       : std::nullopt;
        }
        if (!path) {
            continue;
        }
        path->after_make = is_after_make(*path);
        const auto known = seen_.find(*path);
        if (known != seen_.end()) {
            known->second.count += is_valid() ? 1 : 0;
            continue;
        }
        if (seen_.size() == kMost || bytes_ + path->path.size() > kMostBytes) {
            ++left_out_;
            continue;
        }
        std::string name = program();
        if (is_valid()) {
            bytes_ += path->path.size();
            if (makes(path->use)) {
                bytes_ += path->path.size();
                made_.insert(normal(path->path));
            }
            seen_.emplace(*std::move(path), Sighting{.program = std::move(name), .count = 1});
        }
    }
}

} // namespace sandbox
