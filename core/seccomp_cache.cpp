// The cache of compiled filters: DATA_DIR/seccomp/HASH.bpf, one file a filter. A filter decides what CMD may do, so an
// entry is believed only where nobody but the caller can have written it, where it says in full what it was compiled
// from, and where every byte is as it was written. Whatever else is found there means "compile", never an error.
#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>

#include "core/base/fd.hpp"
#include "core/base/file.hpp"
#include "core/base/file_size_signal.hpp"
#include "core/seccomp.hpp"
#include "core/seccomp_entry.hpp"
#include "core/seccomp_marks.hpp"

namespace sandbox::seccomp {

namespace {

constexpr std::size_t kEntriesLimit = 64;
constexpr std::string_view kSuffix = ".bpf";

std::string name_of(std::string_view key) {
    return fmt::format(FMT_STRING("{:016x}{}"), checksum_of(key), kSuffix);
}

/// A directory that is the caller's and nobody else's; nothing where it is not, or does not exist.
Fd open_private_directory(int parent, const char* path) {
    Fd directory(::openat(parent, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    struct stat status {};
    if (directory && (::fstat(directory.get(), &status) != 0 || status.st_uid != ::geteuid() ||
                      (status.st_mode & ALLPERMS) != S_IRWXU)) {
        directory.reset();
    }
    return directory;
}

Fd open_cache(const std::string& data_dir) {
    const Fd parent = open_private_directory(AT_FDCWD, data_dir.c_str());
    return parent ? open_private_directory(parent.get(), "seccomp") : Fd();
}

Fd make_cache(const std::string& data_dir) {
    // Without a cache the filter is compiled again each time, which is no error.
    static_cast<void>(make_directories(data_dir));
    if (const Fd parent = open_private_directory(AT_FDCWD, data_dir.c_str())) {
        ::mkdirat(parent.get(), "seccomp", S_IRWXU);
    }
    return open_cache(data_dir);
}

std::optional<Program> read_entry(int directory, const std::string& name, std::string_view key) {
    // A fifo in its place must not make us wait: it is opened without blocking, and refused.
    const Fd file(::openat(directory, name.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
    struct stat status {};
    if (!file || ::fstat(file.get(), &status) != 0 || !S_ISREG(status.st_mode) || status.st_uid != ::geteuid() ||
        (status.st_mode & ALLPERMS) != (S_IRUSR | S_IWUSR) || status.st_nlink != 1) {
        return std::nullopt;
    }
    const std::size_t longest = longest_entry(key);
    if (status.st_size < 0 || static_cast<std::size_t>(status.st_size) > longest) {
        return std::nullopt;
    }
    // A byte more than a right entry can have, to see that it ends where it should.
    std::string content;
    return read_all(file.get(), longest + 1, content) ? decoded(content, key) : std::nullopt;
}

/// The file gets its name when it is whole: until then it has none, and vanishes with us.
bool write_nameless(int directory, const Fd& file, const std::string& name, std::string_view content) {
    if (::fchmod(file.get(), S_IRUSR | S_IWUSR) != 0 || !write_all(file.get(), content)) {
        return false;
    }
    const std::string nameless = fmt::format(FMT_STRING("/proc/self/fd/{}"), file.get());
    const auto give_name = [&] {
        return ::linkat(AT_FDCWD, nameless.c_str(), directory, name.c_str(), AT_SYMLINK_FOLLOW) == 0;
    };
    // What bears the name is not usable, or another run was faster: its entry is as good as ours, and ours replaces it.
    return give_name() || (::unlinkat(directory, name.c_str(), 0) == 0 && give_name());
}

/// For file systems without nameless files (NFS). The passing name has the suffix too, so that what a killed run left
/// grows old and goes with the others.
bool write_renamed(int directory, const std::string& name, std::string_view content) {
    const std::string passing = fmt::format(FMT_STRING(".{}-{}"), ::getpid(), name);
    const Fd file(
        ::openat(directory, passing.c_str(), O_CREAT | O_EXCL | O_WRONLY | O_NOFOLLOW | O_CLOEXEC, S_IRUSR | S_IWUSR));
    if (!file) {
        return false;
    }
    const bool whole = ::fchmod(file.get(), S_IRUSR | S_IWUSR) == 0 && write_all(file.get(), content);
    if (whole && ::renameat(directory, passing.c_str(), directory, name.c_str()) == 0) {
        return true;
    }
    ::unlinkat(directory, passing.c_str(), 0);
    return false;
}

bool write_entry(int directory, const std::string& name, std::string_view content) {
    const Fd file(::openat(directory, ".", O_TMPFILE | O_WRONLY | O_CLOEXEC, S_IRUSR | S_IWUSR));
    return file ? write_nameless(directory, file, name, content) : write_renamed(directory, name, content);
}

struct CloseListing {
    void operator()(DIR* listing) const { ::closedir(listing); }
};

/// Removes the oldest entries until `kEntriesLimit` are left. Only names of ours are touched.
void remove_oldest(int directory) {
    const std::unique_ptr<DIR, CloseListing> listing(
        ::fdopendir(::openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)));
    if (!listing) {
        return;
    }
    std::vector<std::pair<std::int64_t, std::string>> entries;
    while (const dirent* entry = ::readdir(listing.get())) {
        struct stat status {};
        if (std::string_view(entry->d_name).ends_with(kSuffix) &&
            ::fstatat(directory, entry->d_name, &status, AT_SYMLINK_NOFOLLOW) == 0) {
            constexpr std::int64_t kNanoseconds = 1'000'000'000;
            entries.emplace_back(status.st_mtim.tv_sec * kNanoseconds + status.st_mtim.tv_nsec, entry->d_name);
        }
    }
    if (entries.size() <= kEntriesLimit) {
        return;
    }
    std::ranges::sort(entries);
    for (const auto& [age, name] : std::span(entries).first(entries.size() - kEntriesLimit)) {
        ::unlinkat(directory, name.c_str(), 0);
    }
}

/// As load_or_compile: an entry holds the program with its marks, from which both forms come.
Program load_or_compile_marked(const SeccompPlan& plan, const std::string& data_dir) {
    const std::string key = key_of(plan);
    const std::string name = name_of(key);
    Fd directory = open_cache(data_dir);
    if (directory) {
        if (auto program = read_entry(directory.get(), name, key)) {
            return *std::move(program);
        }
    }
    Program program = compile_marked(plan);
    const IgnoredFileSizeSignal ignored;
    if (!directory) {
        directory = make_cache(data_dir);
    }
    if (directory && write_entry(directory.get(), name, encoded(key, program))) {
        remove_oldest(directory.get());
    }
    return program;
}

} // namespace

Filter load_or_compile(const SeccompPlan& plan, const std::string& data_dir) {
    return plan.filter ? split(load_or_compile_marked(plan, data_dir), plan) : Filter{};
}

} // namespace sandbox::seccomp
