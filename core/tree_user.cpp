#include "core/tree_user.hpp"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string_view>

#include "core/tree_path.hpp"

namespace sandbox {

namespace {

/// The lines of a text file, without allocation; one that is longer than the buffer is passed over.
class Lines {
public:
    explicit Lines(Fd file) : file_(std::move(file)) {}

    bool next(std::string_view& line) {
        for (;;) {
            const char* const start = buffer_ + start_;
            const void* const end = std::memchr(start, '\n', filled_ - start_);
            const bool is_last = end == nullptr && ended_;
            if (end != nullptr || (is_last && filled_ > start_)) {
                const std::size_t length =
                    end != nullptr ? static_cast<std::size_t>(static_cast<const char*>(end) - start) : filled_ - start_;
                start_ += length + (end != nullptr ? 1 : 0);
                const bool is_whole = !too_long_;
                too_long_ = false;
                if (is_whole) {
                    line = std::string_view(start, length);
                    return true;
                }
            } else if (is_last) {
                return false;
            } else {
                fill();
            }
        }
    }

private:
    void fill() {
        if (start_ == 0 && filled_ == sizeof buffer_) {
            too_long_ = true;
            filled_ = 0;
        }
        std::memmove(buffer_, buffer_ + start_, filled_ - start_);
        filled_ -= start_;
        start_ = 0;
        const ssize_t count = file_ ? ::read(file_.get(), buffer_ + filled_, sizeof buffer_ - filled_) : 0;
        if (count <= 0) {
            ended_ = count == 0 || errno != EINTR;
            return;
        }
        filled_ += static_cast<std::size_t>(count);
    }

    Fd file_;
    char buffer_[16384];
    std::size_t start_ = 0;
    std::size_t filled_ = 0;
    bool ended_ = false;
    bool too_long_ = false;
};

/// Takes the part before the next `separator` off `text`.
std::string_view take(std::string_view& text, char separator) {
    const std::size_t end = std::min(text.find(separator), text.size());
    const std::string_view part = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    return part;
}

bool read_number(std::string_view text, unsigned& number) {
    unsigned long long value = 0;
    for (const char byte : text) {
        if (byte < '0' || byte > '9' || value > 0xffffffffULL) {
            return false;
        }
        value = value * 10 + static_cast<unsigned>(byte - '0');
    }
    number = static_cast<unsigned>(value);
    return !text.empty() && value < 0xffffffffULL; // (uid_t)-1 is none
}

/// A line of passwd(5): NAME:PASSWORD:UID:GID:COMMENT:HOME:SHELL.
struct User {
    std::string_view name;
    unsigned uid = 0;
    unsigned gid = 0;
    std::string_view home;
};

bool read_user(std::string_view line, User& user) {
    user.name = take(line, ':');
    take(line, ':');
    const bool has_numbers = read_number(take(line, ':'), user.uid) && read_number(take(line, ':'), user.gid);
    take(line, ':');
    user.home = take(line, ':');
    return has_numbers && !user.name.empty();
}

void copy_home(std::string_view home, Identity& identity) {
    if (home.empty() || home.size() >= sizeof identity.home || home.front() != '/') {
        return;
    }
    std::memcpy(identity.home, home.data(), home.size());
    identity.home[home.size()] = '\0';
}

bool lists(std::string_view members, std::string_view name) {
    while (!members.empty()) {
        if (take(members, ',') == name) {
            return true;
        }
    }
    return false;
}

/// Files that are not there say nothing; any other failure is one.
int open_lines(int root, const char* path, Fd& file) {
    file = tree_path::open_text(root, path);
    return file || errno == ENOENT || errno == ENOTDIR ? 0 : -1;
}

int find_user(int root, std::string_view word, Identity& identity, char (&name)[256]) {
    Fd file;
    if (open_lines(root, "/etc/passwd", file) < 0) {
        return -1;
    }
    unsigned number = 0;
    const bool is_number = read_number(word, number);
    Lines lines(std::move(file));
    std::string_view line;
    User user;
    while (lines.next(line)) {
        if (!read_user(line, user) || (user.name != word && !(is_number && user.uid == number))) {
            continue;
        }
        identity.uid = user.uid;
        identity.gid = user.gid;
        copy_home(user.home, identity);
        const std::size_t length = std::min(user.name.size(), sizeof name - 1);
        std::memcpy(name, user.name.data(), length);
        name[length] = '\0';
        return 0;
    }
    if (!is_number) {
        errno = 0; // a word of the kernel's would mislead
        return -1;
    }
    identity.uid = number;
    return 0;
}

/// The one group that was named, or all that list the user.
int find_groups(int root, std::string_view word, const char* user, Identity& identity) {
    Fd file;
    if (open_lines(root, "/etc/group", file) < 0) {
        return -1;
    }
    unsigned number = 0;
    const bool is_number = read_number(word, number);
    Lines lines(std::move(file));
    std::string_view line;
    while (lines.next(line)) {
        const std::string_view name = take(line, ':');
        take(line, ':');
        unsigned gid = 0;
        if (!read_number(take(line, ':'), gid)) {
            continue;
        }
        if (!word.empty() && (name == word || (is_number && gid == number))) {
            identity.gid = gid;
            return 0;
        }
        if (word.empty() && *user != '\0' && lists(line, user) && identity.group_count < Identity::kMostGroups) {
            identity.groups[identity.group_count++] = gid;
        }
    }
    if (!word.empty() && !is_number) {
        errno = 0; // a word of the kernel's would mislead
        return -1;
    }
    identity.gid = word.empty() ? identity.gid : number;
    return 0;
}

} // namespace

int look_up_user(int root, const char* words, Identity& identity) {
    std::string_view rest = words;
    const std::string_view user = take(rest, ':');
    char name[256] = "";
    return find_user(root, user, identity, name) < 0 ? -1 : find_groups(root, rest, name, identity);
}

} // namespace sandbox
