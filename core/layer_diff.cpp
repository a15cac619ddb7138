#include "core/layer_diff.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <climits>
#include <cstring>
#include <memory>
#include <optional>
#include <set>
#include <string_view>

#include <fmt/format.h>

#include "core/base/directory.hpp"
#include "core/base/error.hpp"
#include "core/base/fd.hpp"
#include "core/same_file.hpp"

namespace sandbox {

namespace {

constexpr std::string_view kDeletedMark = ".wh."; // fuse-overlayfs, where it can make no device
constexpr std::string_view kOpaqueMark = ".wh..wh..opq";
constexpr std::size_t kDeepest = 400; ///< each level has descriptors open

Error cannot_read(const std::string& path, int error_number) {
    return Error("cannot read " + quoted(path) + " of the layer").kernel(error_number);
}

std::vector<std::string> names_in(const Fd& directory, const std::string& path) {
    std::optional<std::vector<std::string>> names = list_directory(directory.get());
    if (!names) {
        throw cannot_read(path, errno);
    }
    return std::move(*names);
}

std::optional<struct stat> look_at(const Fd& directory, const std::string& name) {
    struct stat status {};
    if (::fstatat(directory.get(), name.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0) {
        return std::nullopt;
    }
    return status;
}

Fd open_directory(const Fd& directory, const std::string& name) {
    return Fd(::openat(directory.get(), name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
}

bool is_whiteout(const struct stat& status) {
    return S_ISCHR(status.st_mode) && status.st_rdev == makedev(0, 0);
}

bool has_opaque_xattr(const Fd& directory, const char* name) {
    char value = 0;
    return ::fgetxattr(directory.get(), name, &value, 1) == 1 && value == 'y';
}

/// Whether the driver takes a file of this name for a mark. To the kernel it is one like any other, which CMD can make.
bool is_name_of_mark(std::string_view name, OverlayMarks marks) {
    return marks == OverlayMarks::fuse && name.starts_with(kDeletedMark);
}

bool is_opaque(const Fd& directory, OverlayMarks marks) {
    if (marks == OverlayMarks::kernel) {
        return has_opaque_xattr(directory, "user.overlay.opaque");
    }
    constexpr std::array kNames = {"user.overlay.opaque", "trusted.overlay.opaque", "user.fuseoverlayfs.opaque"};
    return std::ranges::any_of(kNames, [&](const char* name) { return has_opaque_xattr(directory, name); }) ||
           look_at(directory, std::string(kOpaqueMark));
}

std::string link_text(const Fd& directory, const std::string& name) {
    std::array<char, PATH_MAX> text{};
    const ssize_t length = ::readlinkat(directory.get(), name.c_str(), text.data(), text.size());
    return {text.data(), static_cast<std::size_t>(std::max<ssize_t>(length, 0))};
}

/// What the layers below show at one name: the object on top, and for a directory those that are joined in it.
struct Below {
    std::optional<struct stat> status;
    int holder = -1; ///< the descriptor of the directory that has it
    std::vector<Fd> directories;
};

Below find_below(const std::vector<Fd>& directories, const std::string& name, OverlayMarks marks) {
    Below below;
    for (const Fd& directory : directories) { // the topmost first
        if (marks == OverlayMarks::fuse && look_at(directory, std::string(kDeletedMark) + name)) {
            break;
        }
        const std::optional<struct stat> status = look_at(directory, name);
        if (!status) {
            continue;
        }
        if (is_whiteout(*status) || (below.status && !S_ISDIR(status->st_mode))) {
            break;
        }
        if (!below.status) {
            below.status = status;
            below.holder = directory.get();
        }
        if (!S_ISDIR(status->st_mode)) {
            break;
        }
        below.directories.push_back(open_directory(directory, name));
        if (!below.directories.back()) {
            throw cannot_read(name, errno);
        }
        if (is_opaque(below.directories.back(), marks)) {
            break;
        }
    }
    return below;
}

class Comparison {
public:
    explicit Comparison(OverlayMarks marks) : marks_(marks) {}

    std::vector<Change> run(const std::string& upper, const std::vector<std::string>& lower) {
        const auto open = [](const std::string& path) {
            Fd directory(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
            if (!directory) {
                throw cannot_read(path, errno);
            }
            return directory;
        };
        std::vector<Fd> below;
        std::transform(lower.rbegin(), lower.rend(), std::back_inserter(below), open);
        compare(open(upper), below, "", 0);
        return std::move(changes_);
    }

private:
    void add(Change::Kind kind, const std::string& path, const struct stat& status) {
        changes_.push_back(
            {kind, path, status.st_mode,
             S_ISREG(status.st_mode) || S_ISLNK(status.st_mode) ? static_cast<std::uint64_t>(status.st_size) : 0});
    }

    void compare(const Fd& upper, const std::vector<Fd>& below, const std::string& path, std::size_t depth) {
        if (depth > kDeepest) {
            constexpr std::size_t kShown = 200;
            throw Error(fmt::format("cannot compare what lies deeper than {} directories: {}...", kDeepest,
                                    quoted(path.substr(0, kShown))));
        }
        const std::vector<std::string> names = names_in(upper, path);
        for (const std::string& name : names) {
            if (is_name_of_mark(name, marks_)) {
                if (name != kOpaqueMark) {
                    delete_name(below, name.substr(kDeletedMark.size()), path);
                }
                continue;
            }
            const std::optional<struct stat> status = look_at(upper, name);
            if (!status) {
                throw cannot_read(path + "/" + name, errno);
            }
            if (is_whiteout(*status)) {
                delete_name(below, name, path);
            } else {
                compare_name(upper, below, name, *status, path + "/" + name, depth);
            }
        }
        if (!below.empty() && is_opaque(upper, marks_)) {
            delete_others(below, names, path);
        }
    }

    void compare_name(const Fd& upper, const std::vector<Fd>& below, const std::string& name, const struct stat& status,
                      const std::string& path, std::size_t depth) {
        Below found = find_below(below, name, marks_);
        if (!found.status) {
            add(Change::Kind::added, path, status);
        } else if (differs(upper, found, name, status)) {
            add(Change::Kind::changed, path, status);
        }
        if (!S_ISDIR(status.st_mode)) {
            return;
        }
        const Fd directory = open_directory(upper, name);
        if (!directory) {
            throw cannot_read(path, errno);
        }
        compare(directory, found.directories, path, depth + 1);
    }

    static bool differs(const Fd& upper, const Below& below, const std::string& name, const struct stat& now) {
        const struct stat& then = *below.status;
        if (now.st_mode != then.st_mode || now.st_uid != then.st_uid || now.st_gid != then.st_gid) {
            return true;
        }
        if (S_ISLNK(now.st_mode)) {
            std::array<char, PATH_MAX> text{};
            const ssize_t length = ::readlinkat(below.holder, name.c_str(), text.data(), text.size());
            return link_text(upper, name) !=
                   std::string_view(text.data(), static_cast<std::size_t>(std::max<ssize_t>(length, 0)));
        }
        const bool is_file = S_ISREG(now.st_mode);
        if (!S_ISDIR(now.st_mode) &&
            (now.st_size != then.st_size || now.st_rdev != then.st_rdev || now.st_mtim.tv_sec != then.st_mtim.tv_sec ||
             now.st_mtim.tv_nsec != then.st_mtim.tv_nsec)) {
            return true;
        }
        if (!S_ISDIR(now.st_mode) && !is_file) {
            return false;
        }
        constexpr int kFlags = O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;
        const Fd one(::openat(upper.get(), name.c_str(), kFlags));
        const Fd other(::openat(below.holder, name.c_str(), kFlags));
        // What cannot be compared counts as changed.
        return !one || !other || !have_same_attributes(one.get(), other.get()) ||
               (is_file && !have_same_content(one.get(), other.get()));
    }

    void delete_name(const std::vector<Fd>& below, const std::string& name, const std::string& path) {
        const Below found = find_below(below, name, marks_);
        if (found.status) {
            add(Change::Kind::deleted, path + "/" + name, *found.status);
        }
    }

    /// What an opaque directory hides.
    void delete_others(const std::vector<Fd>& below, const std::vector<std::string>& names, const std::string& path) {
        std::set<std::string> hidden;
        for (const Fd& directory : below) {
            for (std::string& name : names_in(directory, path)) {
                if (!std::ranges::binary_search(names, name) && !is_name_of_mark(name, marks_) &&
                    !(marks_ == OverlayMarks::fuse &&
                      std::ranges::binary_search(names, std::string(kDeletedMark) + name))) {
                    hidden.insert(std::move(name));
                }
            }
        }
        for (const std::string& name : hidden) {
            delete_name(below, name, path);
        }
    }

    OverlayMarks marks_;
    std::vector<Change> changes_;
};

void measure(const Fd& directory, const std::string& path, std::size_t depth, std::set<std::pair<dev_t, ino_t>>& seen,
             std::uint64_t& total) {
    for (const std::string& name : names_in(directory, path)) {
        const std::optional<struct stat> status = look_at(directory, name);
        if (!status || (status->st_nlink > 1 && !S_ISDIR(status->st_mode) &&
                        !seen.insert({status->st_dev, status->st_ino}).second)) {
            continue;
        }
        constexpr std::uint64_t kBlock = 512; // stat(2)
        total += static_cast<std::uint64_t>(status->st_blocks) * kBlock;
        if (S_ISDIR(status->st_mode) && depth < kDeepest) {
            const Fd inner = open_directory(directory, name);
            if (inner) {
                measure(inner, path + "/" + name, depth + 1, seen, total);
            }
        }
    }
}

/// The field before the next `end`, taken off `text`.
std::string_view take(std::string_view& text, char end) {
    const std::size_t length = text.find(end);
    if (length == std::string_view::npos) {
        throw Error("cannot read the changes of the layer: they are cut short");
    }
    const std::string_view field = text.substr(0, length);
    text.remove_prefix(length + 1);
    return field;
}

template <class T> T number(std::string_view text) {
    T value{};
    std::from_chars(text.data(), text.data() + text.size(), value);
    return value;
}

} // namespace

std::vector<Change> compare_layer(const std::string& upper, const std::vector<std::string>& lower, OverlayMarks marks) {
    std::vector<Change> changes = Comparison(marks).run(upper, lower);
    std::ranges::stable_sort(changes, {}, &Change::path);
    return changes;
}

std::uint64_t measure_tree(const std::string& directory) {
    const Fd top(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!top) {
        throw cannot_read(directory, errno);
    }
    std::uint64_t total = 0;
    std::set<std::pair<dev_t, ino_t>> seen;
    measure(top, directory, 0, seen, total);
    return total;
}

std::string to_text(const std::vector<Change>& changes) {
    std::string text;
    for (const Change& change : changes) {
        text += fmt::format("{} {} {} ", static_cast<int>(change.kind), change.mode, change.size);
        text += change.path;
        text += '\0';
    }
    return text;
}

std::vector<Change> read_changes(const std::string& text) {
    std::vector<Change> changes;
    for (std::string_view rest = text; !rest.empty();) {
        Change change;
        change.kind = static_cast<Change::Kind>(number<int>(take(rest, ' ')));
        change.mode = number<mode_t>(take(rest, ' '));
        change.size = number<std::uint64_t>(take(rest, ' '));
        change.path = take(rest, '\0');
        changes.push_back(std::move(change));
    }
    return changes;
}

} // namespace sandbox
