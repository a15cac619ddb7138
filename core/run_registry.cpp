#include "core/run_registry.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstdint>
#include <utility>

#include <fmt/format.h>

#include "core/base/directory.hpp"
#include "core/base/error.hpp"
#include "core/base/file.hpp"
#include "core/base/file_size_signal.hpp"
#include "core/remove_tree.hpp"

namespace sandbox {

namespace {

constexpr std::size_t kLongestName = 64;
constexpr std::size_t kLongestStem = 40;
constexpr mode_t kDirectoryMode = 0700;

bool is_name_start(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

bool is_name_character(char c) {
    return is_name_start(c) || c == '.' || c == '-';
}

Error cannot_use(const std::string& path) {
    return Error("cannot use the directory of running sandboxes " + quoted(path));
}

Error cannot_write(const std::string& name) {
    return Error("cannot write the record of the sandbox " + quoted(name));
}

Fd open_directory_at(int directory, const char* name) {
    return Fd(::openat(directory, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
}

bool is_link(const std::string& path) {
    struct stat status {};
    return ::lstat(path.c_str(), &status) == 0 && S_ISLNK(status.st_mode);
}

/// Others could put a record there that makes us signal, or join, what is not ours.
void expect_own(const Fd& directory, const std::string& path) {
    struct stat status {};
    if (::fstat(directory.get(), &status) < 0) {
        const int error_number = errno;
        throw cannot_use(path).kernel(error_number);
    }
    if (status.st_uid != ::geteuid()) {
        throw cannot_use(path).cause("it belongs to another user").fix("set XDG_RUNTIME_DIR to a directory of yours");
    }
    if ((status.st_mode & (S_IWGRP | S_IWOTH)) != 0) {
        throw cannot_use(path).cause("it can be written by others").fix("chmod go-w " + shell_quoted(path));
    }
}

struct Split {
    std::string runtime; ///< $XDG_RUNTIME_DIR
    std::string ours;    ///< "sandbox" below it
};

Split split(const std::string& registry) {
    const std::string ours = registry.substr(0, registry.rfind('/'));
    return {.runtime = ours.substr(0, ours.rfind('/')), .ours = ours};
}

/// The registry; made where it is not there, but for the runtime directory above it, which is the system's to make.
/// \return nothing where it is missing and not to be made.
Fd open_registry(const std::string& registry, bool makes) {
    const auto [runtime, ours] = split(registry);
    for (const std::string& path : {runtime, ours, registry}) {
        const bool is_ours = path != runtime;
        if (makes && is_ours && ::mkdir(path.c_str(), kDirectoryMode) < 0 && errno != EEXIST) {
            const int error_number = errno;
            throw cannot_use(path).kernel(error_number);
        }
        Fd opened = open_directory_at(AT_FDCWD, path.c_str());
        if (!opened && errno == ENOENT && !makes) {
            return opened;
        }
        if (!opened) {
            const int error_number = errno;
            Error error = cannot_use(path).kernel(error_number);
            if (error_number == ENOENT && !is_ours) {
                error.cause("pam_systemd(8) makes it at a login; su(1) and cron(8) are none");
                error.fix("log in, or set XDG_RUNTIME_DIR to a directory of yours that ends with the session");
            } else if ((error_number == ENOTDIR || error_number == ELOOP) && is_link(path)) {
                error.cause("it is a symbolic link, which could lead elsewhere later");
                error.fix(is_ours ? "remove it"
                                  : "set XDG_RUNTIME_DIR to what it leads to: readlink -f " + shell_quoted(path));
            }
            throw error;
        }
        expect_own(opened, path);
        if (path == registry) {
            return opened;
        }
    }
    return {};
}

/// Held while entries are made and locked: until a new one is, nobody may take it for one that was left.
/// \return what holds the lock; nothing where it cannot be had.
Fd lock_registry(const Fd& runs, int operation) {
    Fd whole = open_directory_at(runs.get(), "."); // a description of its own: locks belong to those
    if (whole && ::flock(whole.get(), operation) < 0) {
        whole.reset();
    }
    return whole;
}

bool is_locked(const Fd& directory) {
    if (::flock(directory.get(), LOCK_SH | LOCK_NB) < 0) {
        return errno == EWOULDBLOCK;
    }
    ::flock(directory.get(), LOCK_UN);
    return false;
}

bool has_detached_mark(const Fd& directory) {
    struct stat status {};
    return ::fstatat(directory.get(), kDetachedMark, &status, AT_SYMLINK_NOFOLLOW) == 0;
}

/// Removes the entries that nobody holds, but for those that stay.
void clear_left(const Fd& runs) {
    const Fd whole = lock_registry(runs, LOCK_EX | LOCK_NB);
    if (!whole) {
        return; // a run is just being started, or somebody clears: the next to look does it
    }
    for (const std::string& name : list_directory(runs.get()).value_or(std::vector<std::string>())) {
        const Fd entry = open_directory_at(runs.get(), name.c_str());
        if (entry && !is_locked(entry) && !has_detached_mark(entry)) {
            remove_tree(runs.get(), name.c_str());
        }
    }
}

/// Whether the entry `name` is the one that was found.
bool is_same_entry(const Fd& entry, const FoundRun& run) {
    struct stat now {};
    struct stat found {};
    return entry && ::fstat(entry.get(), &now) == 0 && ::fstat(run.directory.get(), &found) == 0 &&
           now.st_ino == found.st_ino && now.st_dev == found.st_dev;
}

/// Makes the entry and locks it. \return nothing where the name is taken.
Fd make_entry(const Fd& runs, const std::string& registry, const std::string& name) {
    const Fd whole = lock_registry(runs, LOCK_SH);
    if (!whole) {
        const int error_number = errno;
        throw cannot_use(registry).kernel(error_number).cause("it cannot be locked: flock(2)");
    }
    if (::mkdirat(runs.get(), name.c_str(), kDirectoryMode) < 0) {
        const int error_number = errno;
        if (error_number == EEXIST) {
            return {};
        }
        throw cannot_use(registry).kernel(error_number);
    }
    Fd entry = open_directory_at(runs.get(), name.c_str());
    // Who looks whether it is locked holds it for a moment.
    if (!entry || ::flock(entry.get(), LOCK_EX) < 0) {
        const int error_number = errno;
        ::unlinkat(runs.get(), name.c_str(), AT_REMOVEDIR);
        throw cannot_use(registry).kernel(error_number);
    }
    return entry;
}

std::string stem_of(std::string_view command) {
    std::string stem;
    for (const char c : command.substr(command.rfind('/') + 1).substr(0, kLongestStem)) {
        const bool fits = stem.empty() ? is_name_start(c) : is_name_character(c);
        if (fits) {
            stem += c;
        }
    }
    return stem.empty() ? "run" : stem;
}

} // namespace

bool is_run_name(std::string_view name) {
    return !name.empty() && name.size() <= kLongestName && is_name_start(name.front()) &&
           std::ranges::all_of(name, is_name_character);
}

RunEntry::RunEntry(Fd runs, std::string name, Fd directory)
    : runs_(std::move(runs)), name_(std::move(name)), directory_(std::move(directory)),
      status_(::openat(directory_.get(), kStatusFile, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600)) {
    const ProcessIdentity self = identify(::getpid());
    const std::string supervisor = fmt::format("{}.{}", self.pid, self.start_time);
    if (!status_ || ::symlinkat(supervisor.c_str(), directory_.get(), kSupervisorLink) < 0) {
        const int error_number = errno;
        remove_tree(runs_.get(), name_.c_str());
        throw cannot_write(name_).kernel(error_number);
    }
}

RunEntry RunEntry::with_name(const std::string& registry, const std::string& name) {
    Fd runs = open_registry(registry, true);
    Fd entry = make_entry(runs, registry, name);
    if (!entry) {
        clear_left(runs);
        entry = make_entry(runs, registry, name);
    }
    if (!entry) {
        const Fd other = open_directory_at(runs.get(), name.c_str());
        const bool has_ended = other && !is_locked(other);
        throw Error("--name: a sandbox " + quoted(name) + (has_ended ? " has ended and is kept" : " runs already"))
            .fix(fmt::format("choose another name, or sandboxctl {} {}", has_ended ? "remove" : "stop", name));
    }
    return {std::move(runs), name, std::move(entry)};
}

RunEntry RunEntry::with_made_name(const std::string& registry, std::string_view command) {
    Fd runs = open_registry(registry, true);
    for (;;) {
        std::uint32_t random = 0;
        if (::getrandom(&random, sizeof random, 0) < 0) {
            throw Error("cannot make a name for the sandbox").kernel(errno);
        }
        const std::string name = fmt::format("{}-{:06x}", stem_of(command), random & 0xffffffU);
        Fd entry = make_entry(runs, registry, name);
        if (entry) {
            return {std::move(runs), name, std::move(entry)};
        }
    }
}

RunEntry::~RunEntry() {
    if (directory_ && !stays_) {
        // What cannot be removed is cleared by whoever looks next.
        remove_tree(runs_.get(), name_.c_str());
        directory_.reset();
        clear_left(runs_);
    }
}

void RunEntry::write(const char* file, std::string_view content) const {
    const IgnoredFileSizeSignal ignored;
    const std::string unfinished = fmt::format(".{}", file);
    const Fd opened(
        ::openat(directory_.get(), unfinished.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600));
    if (!opened || !write_all(opened.get(), content) ||
        ::renameat(directory_.get(), unfinished.c_str(), directory_.get(), file) < 0) {
        const int error_number = errno;
        throw cannot_write(name_).kernel(error_number);
    }
}

void RunEntry::tell_status(std::string_view text) const {
    const IgnoredFileSizeSignal ignored;
    // Who waits has the file open, and cannot be told more than that.
    [[maybe_unused]] const bool written = write_all(status_.get(), text);
}

void RunEntry::mark_detached() const {
    const IgnoredFileSizeSignal ignored;
    constexpr off_t kRoom = 65'536;
    const Fd mark(::openat(directory_.get(), kDetachedMark, O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600));
    if (!mark || (::fallocate(status_.get(), FALLOC_FL_KEEP_SIZE, 0, kRoom) < 0 && errno != EOPNOTSUPP)) {
        const int error_number = errno;
        throw cannot_write(name_).kernel(error_number);
    }
}

namespace {

std::vector<FoundRun> find(const std::string& registry, bool living) {
    std::vector<FoundRun> found;
    const Fd runs = open_registry(registry, false);
    if (!runs) {
        return found;
    }
    clear_left(runs);
    const std::optional<std::vector<std::string>> names = list_directory(runs.get());
    if (!names) {
        const int error_number = errno;
        throw cannot_use(registry).kernel(error_number);
    }
    for (const std::string& name : *names) {
        FoundRun run{.name = name, .directory = open_directory_at(runs.get(), name.c_str())};
        const bool is_wanted = run.directory && is_run_name(name) && is_alive(run) == living;
        if (is_wanted && (living || is_detached(run))) {
            found.push_back(std::move(run));
        }
    }
    return found;
}

} // namespace

std::vector<FoundRun> find_runs(const std::string& registry) {
    return find(registry, true);
}

std::vector<FoundRun> find_ended_runs(const std::string& registry) {
    return find(registry, false);
}

void remove_run(const std::string& registry, const FoundRun& run) {
    const Fd runs = open_registry(registry, false);
    const Fd whole = runs ? lock_registry(runs, LOCK_EX) : Fd();
    const Fd entry = whole ? open_directory_at(runs.get(), run.name.c_str()) : Fd();
    if (is_same_entry(entry, run) && !is_locked(entry) && remove_tree(runs.get(), run.name.c_str()) < 0) {
        const int error_number = errno;
        throw Error("cannot remove what is kept of the sandbox " + quoted(run.name)).kernel(error_number);
    }
}

bool is_detached(const FoundRun& run) {
    return has_detached_mark(run.directory);
}

std::optional<FoundRun> find_run(const std::string& registry, const std::string& name) {
    const Fd runs = open_registry(registry, false);
    if (!runs || !is_run_name(name)) {
        return std::nullopt;
    }
    clear_left(runs);
    FoundRun run{.name = name, .directory = open_directory_at(runs.get(), name.c_str())};
    return run.directory && is_alive(run) ? std::optional(std::move(run)) : std::nullopt;
}

bool is_alive(const FoundRun& run) {
    return is_locked(run.directory);
}

std::optional<ProcessIdentity> supervisor_of(const FoundRun& run) {
    std::array<char, 64> text{};
    const ssize_t size = ::readlinkat(run.directory.get(), kSupervisorLink, text.data(), text.size());
    const char* const end = text.data() + std::max<ssize_t>(size, 0);
    ProcessIdentity found;
    const auto pid = std::from_chars(text.data(), end, found.pid);
    if (pid.ec != std::errc() || pid.ptr == end || *pid.ptr != '.') {
        return std::nullopt;
    }
    const auto time = std::from_chars(pid.ptr + 1, end, found.start_time);
    const bool is_whole = time.ec == std::errc() && time.ptr == end && found.pid > 0;
    return is_whole ? std::optional(found) : std::nullopt;
}

void clear_run(const std::string& registry, const FoundRun& run) {
    const Fd runs = open_registry(registry, false);
    const Fd whole = runs ? lock_registry(runs, LOCK_EX) : Fd();
    if (!whole) {
        return;
    }
    const Fd entry = open_directory_at(runs.get(), run.name.c_str());
    if (is_same_entry(entry, run) && !is_locked(entry) && !has_detached_mark(entry)) {
        remove_tree(runs.get(), run.name.c_str());
    }
}

std::optional<std::string> read_file_of(const FoundRun& run, const char* file, std::size_t limit) {
    // O_NONBLOCK: nobody waits for the writer of a fifo that lies there.
    const Fd opened(::openat(run.directory.get(), file, O_RDONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC));
    std::string text;
    return opened && read_all(opened.get(), limit, text) ? std::optional(std::move(text)) : std::nullopt;
}

} // namespace sandbox
