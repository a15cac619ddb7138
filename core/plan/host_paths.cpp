#include "core/plan/host_paths.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <glob.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <memory>
#include <optional>
#include <string_view>

#include "core/base/fd.hpp"
#include "core/base/file.hpp"
#include "core/plan/paths.hpp"

namespace sandbox::host {

namespace {

PathFact::Kind kind_of(mode_t mode) {
    switch (mode & S_IFMT) {
    case S_IFDIR:
        return PathFact::Kind::directory;
    case S_IFREG:
        return PathFact::Kind::file;
    case S_IFCHR:
    case S_IFBLK:
        return PathFact::Kind::device;
    default:
        return PathFact::Kind::other;
    }
}

/// One walk; names still to come are kept with the next one last.
class Walk {
public:
    Walk(const std::string& path, std::unordered_map<std::string, FileIdentity>& directories)
        : directories_(directories) {
        push(path);
    }

    PathFact run() {
        while (!rest_.empty()) {
            const std::string name = std::move(rest_.back());
            rest_.pop_back();
            const int error = name == ".." ? go_up() : enter(name);
            if (error != 0) {
                fail(error);
                return std::move(fact_);
            }
        }
        fact_.real = here_.empty() ? "/" : here_;
        fact_.kind = kind_of(mode_);
        fact_.identity = identity_;
        return std::move(fact_);
    }

private:
    void push(const std::string& path) {
        const auto names = paths::components(path);
        rest_.insert(rest_.end(), names.rbegin(), names.rend());
    }

    int go_up() {
        if (!S_ISDIR(mode_)) {
            return ENOTDIR;
        }
        here_.resize(here_.empty() ? 0 : here_.rfind('/'));
        const auto known = directories_.find(here_);
        identity_ = known != directories_.end() ? known->second : FileIdentity{};
        return 0;
    }

    int enter(const std::string& name) {
        const std::size_t directory_length = here_.size();
        here_ += '/';
        here_ += name;
        if (const auto known = directories_.find(here_); known != directories_.end()) {
            mode_ = S_IFDIR;
            identity_ = known->second;
            return 0;
        }
        struct stat status {};
        if (::fstatat(AT_FDCWD, here_.c_str(), &status, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT) != 0) {
            return errno;
        }
        if (!S_ISLNK(status.st_mode)) {
            mode_ = status.st_mode;
            identity_ = {status.st_dev, status.st_ino};
            if (S_ISDIR(mode_)) {
                directories_.emplace(here_, identity_);
            }
            return 0;
        }
        auto target = read_link(here_);
        if (!target) {
            return errno;
        }
        if (fact_.links.size() == paths::kMostLinks) {
            return ELOOP;
        }
        fact_.links.push_back({here_, *target});
        here_.resize(target->starts_with('/') ? 0 : directory_length);
        push(*target);
        return 0;
    }

    /// What was left of the path is added as it is written.
    void fail(int error) {
        fact_.error = error;
        while (!rest_.empty()) {
            if (rest_.back() == "..") {
                here_.resize(here_.empty() ? 0 : here_.rfind('/'));
            } else {
                here_ += '/';
                here_ += rest_.back();
            }
            rest_.pop_back();
        }
        fact_.real = here_.empty() ? "/" : here_;
    }

    std::unordered_map<std::string, FileIdentity>& directories_;
    std::vector<std::string> rest_;
    std::string here_;      ///< resolved so far; empty is "/"
    mode_t mode_ = S_IFDIR; ///< of `here_`
    FileIdentity identity_; ///< of `here_`
    PathFact fact_;
};

} // namespace

std::optional<std::string> read_link(const std::string& path) {
    std::array<char, PATH_MAX> text{};
    const ssize_t length = ::readlink(path.c_str(), text.data(), text.size());
    if (length < 0) {
        return std::nullopt;
    }
    return std::string(text.data(), static_cast<std::size_t>(length));
}

PathFact Walker::look_up(const std::string& path) {
    return Walk(path, directories_).run();
}

std::vector<std::string> expand_glob(const std::string& pattern) {
    glob_t found{};
    const std::unique_ptr<glob_t, decltype(&::globfree)> owner(&found, &::globfree);
    if (::glob(pattern.c_str(), 0, nullptr, &found) != 0) {
        return {};
    }
    return {found.gl_pathv, found.gl_pathv + found.gl_pathc};
}

std::optional<std::vector<DirectoryEntry>> list_directory(const std::string& path) {
    const std::unique_ptr<DIR, int (*)(DIR*)> directory(::opendir(path.c_str()), &::closedir);
    std::vector<DirectoryEntry> entries;
    errno = directory ? 0 : errno;
    const dirent* entry = nullptr;
    while (directory && (entry = ::readdir(directory.get())) != nullptr) { // NOLINT(concurrency-mt-unsafe): our own
        const std::string_view name = entry->d_name;
        if (name == "." || name == "..") {
            continue;
        }
        if (entries.size() == kMostEntries) {
            return std::nullopt;
        }
        struct stat status {};
        const bool is_socket = entry->d_type == DT_SOCK ||
                               (entry->d_type == DT_UNKNOWN &&
                                ::fstatat(::dirfd(directory.get()), entry->d_name, &status, AT_SYMLINK_NOFOLLOW) == 0 &&
                                S_ISSOCK(status.st_mode));
        entries.push_back({std::string(name), is_socket});
        errno = 0;
    }
    return errno == 0 ? std::optional(std::move(entries)) : std::nullopt;
}

namespace {

/// A path as mountinfo writes it: octal for space, tab, newline and backslash.
std::string unescaped(std::string_view text) {
    std::string result;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '\\' && i + 3 < text.size()) {
            result += static_cast<char>((text[i + 1] - '0') * 64 + (text[i + 2] - '0') * 8 + (text[i + 3] - '0'));
            i += 3;
        } else {
            result += text[i];
        }
    }
    return result;
}

} // namespace

std::vector<std::string> mounts_below(const std::string& path) {
    const std::string mounts = read_small_file("/proc/self/mountinfo");
    std::vector<std::string> found;
    for (std::string_view rest = mounts; !rest.empty();) {
        std::string_view line = rest.substr(0, rest.find('\n'));
        rest.remove_prefix(std::min(rest.size(), line.size() + 1));
        constexpr int kFieldsBefore = 4;
        for (int i = 0; i < kFieldsBefore && line.find(' ') != std::string_view::npos; ++i) {
            line.remove_prefix(line.find(' ') + 1);
        }
        std::string place = unescaped(line.substr(0, line.find(' ')));
        if (paths::is_below(place, path)) {
            found.push_back(std::move(place));
        }
    }
    return found;
}

OverlayFacts look_at_overlays() {
    OverlayFacts facts;
    facts.fuse_overlayfs = find_helper("fuse-overlayfs");
    const Fd device(::open("/dev/fuse", O_RDWR | O_CLOEXEC));
    facts.fuse_error = device ? 0 : errno;
    return facts;
}

bool may_write(const std::string& path) {
    return ::access(path.c_str(), W_OK) == 0;
}

std::string find_helper(const char* name) {
    /// Never the caller's $PATH: a directory of his could hold another newuidmap.
    constexpr std::array kHelperDirectories = {"/usr/bin", "/bin", "/usr/local/bin", "/usr/sbin", "/run/wrappers/bin"};
    for (const char* directory : kHelperDirectories) {
        std::string path = paths::join(directory, name);
        if (::access(path.c_str(), X_OK) == 0) {
            return path;
        }
    }
    return {};
}

std::vector<SystemEntry> system_entries() {
    constexpr std::array kNames = {"/bin",    "/etc",    "/gnu", "/lib", "/lib32", "/lib64",
                                   "/libo32", "/libx32", "/nix", "/opt", "/sbin",  "/usr"};
    // NixOS keeps its programs in /nix/store and leads to them from /run.
    constexpr std::array kNixLinks = {"/run/current-system", "/run/opengl-driver"};
    std::vector<SystemEntry> entries;
    struct stat status {};
    for (const char* name : kNames) {
        if (::lstat(name, &status) != 0) {
            continue;
        }
        if (S_ISDIR(status.st_mode)) {
            entries.push_back({name, {}});
        } else if (S_ISLNK(status.st_mode)) {
            entries.push_back({name, read_link(name).value_or("")});
        }
    }
    const bool has_nix = ::lstat("/nix/store", &status) == 0;
    for (const char* name : kNixLinks) {
        if (const auto target = has_nix ? read_link(name) : std::nullopt) {
            entries.push_back({name, *target});
        }
    }
    return entries;
}

} // namespace sandbox::host
