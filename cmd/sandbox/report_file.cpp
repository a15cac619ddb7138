#include "cmd/sandbox/report_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <optional>

#include <fmt/format.h>

#include "core/base/error.hpp"
#include "core/base/file.hpp"

namespace sandbox {

namespace {

Error cannot_write(const std::string& target) {
    return Error(fmt::format("--report-json {}: cannot write the report", escaped(target)));
}

/// A reader that is gone is an error here, not a signal that ends us.
class IgnoredPipeSignal {
public:
    IgnoredPipeSignal() : before_(::signal(SIGPIPE, SIG_IGN)) {}
    IgnoredPipeSignal(const IgnoredPipeSignal&) = delete;
    IgnoredPipeSignal& operator=(const IgnoredPipeSignal&) = delete;
    ~IgnoredPipeSignal() { static_cast<void>(::signal(SIGPIPE, before_)); }

private:
    sighandler_t before_;
};

bool is_same_file(int descriptor, const std::string& path) {
    struct stat opened {};
    struct stat named {};
    return ::fstat(descriptor, &opened) == 0 && ::lstat(path.c_str(), &named) == 0 && opened.st_dev == named.st_dev &&
           opened.st_ino == named.st_ino;
}

Fd open_descriptor(int number, const std::array<bool, 3>& was_open) {
    // One that was closed leads to /dev/null by now.
    const bool is_closed =
        static_cast<std::size_t>(number) < was_open.size() && !was_open.at(static_cast<std::size_t>(number));
    const int flags = is_closed ? -1 : ::fcntl(number, F_GETFL);
    if (flags < 0 || (flags & O_ACCMODE) == O_RDONLY) {
        throw cannot_write(std::to_string(number))
            .cause(flags < 0 ? "the descriptor is not open" : "the descriptor is open for reading only")
            .fix(fmt::format("sandbox --report-json {0} CMD {0}>FILE; a file of that name: ./{0}", number));
    }
    return Fd(::fcntl(number, F_DUPFD_CLOEXEC, 3));
}

/// No link is followed: one that an earlier CMD left in its directory would lead the report elsewhere. A fifo without a
/// reader is an error, and no wait.
/// \param made whether the file was not there before.
Fd open_file(const std::string& path, bool& made) {
    constexpr mode_t kMode = 0666; // less the caller's umask
    constexpr int kFlags = O_WRONLY | O_CLOEXEC | O_NOCTTY | O_NOFOLLOW | O_NONBLOCK;
    Fd file(::open(path.c_str(), kFlags | O_CREAT | O_EXCL, kMode));
    made = static_cast<bool>(file);
    if (!file && errno == EEXIST) {
        file.reset(::open(path.c_str(), kFlags));
    }
    return file;
}

} // namespace

std::optional<int> ReportFile::as_descriptor(const std::string& target) {
    int number = -1;
    const auto [end, error] = std::from_chars(target.data(), target.data() + target.size(), number);
    if (error != std::errc() || end != target.data() + target.size()) {
        return std::nullopt;
    }
    if (number < 0) { // a program's mistake, not the name of a file
        throw cannot_write(target)
            .cause("no descriptor has a negative number")
            .fix(fmt::format("a file of that name: ./{}", target));
    }
    return number;
}

ReportFile::ReportFile(const std::string& target, const std::array<bool, 3>& was_open, bool detached)
    : target_(target) {
    const std::optional<int> number = as_descriptor(target);
    if (number && detached) {
        throw cannot_write(target).cause("a detached run keeps no descriptor of its caller").fix("name a file");
    }
    if (!number) {
        path_ = target;
    }
    file_ = number ? open_descriptor(*number, was_open) : open_file(target, made_);
    if (!file_) {
        const int error_number = errno;
        Error error = cannot_write(target);
        error.kernel(error_number);
        if (error_number == ELOOP) {
            error.cause("it is a link, and no report follows one").fix("name the file that it leads to");
        }
        throw error;
    }
}

ReportFile::~ReportFile() {
    if (made_ && is_same_file(file_.get(), path_)) {
        ::unlink(path_.c_str());
    }
}

void ReportFile::write(const std::string& text) {
    if (!path_.empty() && !is_same_file(file_.get(), path_)) {
        throw cannot_write(target_)
            .cause("another file has taken its name while CMD ran")
            .fix("name a file in a directory that CMD cannot write");
    }
    const IgnoredPipeSignal ignored;
    const bool is_emptied = path_.empty() || ::ftruncate(file_.get(), 0) == 0 || errno == EINVAL; // a pipe, a terminal
    if (!path_.empty()) {
        ::fcntl(file_.get(), F_SETFL, 0); // waits for a slow reader from here on
    }
    if (!is_emptied || !write_all(file_.get(), text)) {
        throw cannot_write(target_).kernel(errno);
    }
    made_ = false;
}

} // namespace sandbox
