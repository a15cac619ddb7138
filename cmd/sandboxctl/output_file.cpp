#include "cmd/sandboxctl/output_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <utility>

#include <fmt/format.h>

#include "core/base/error.hpp"
#include "core/base/file.hpp"

namespace sandbox::ctl {

namespace {

Error cannot_write(const std::string& path) {
    return Error("cannot write " + sandbox::quoted(path));
}

} // namespace

OutputFile::OutputFile(std::string path) : path_(std::move(path)), name_(std::filesystem::path(path_).filename()) {
    const std::string parent = std::filesystem::path(path_).parent_path();
    directory_.reset(::open(parent.empty() ? "." : parent.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!directory_) {
        throw cannot_write(path_).kernel(errno);
    }
    struct stat status {};
    const bool is_there = ::fstatat(directory_.get(), name_.c_str(), &status, 0) == 0;
    if (name_.empty() || (is_there && !S_ISREG(status.st_mode))) {
        throw cannot_write(path_)
            .cause("it is no regular file")
            .fix("name a file, or leave out -o for standard output");
    }
    std::string passing;
    const Fd trial = make_passing(passing);
    ::unlinkat(directory_.get(), passing.c_str(), 0);
}

/// \throws Error
Fd OutputFile::make_passing(std::string& name) const {
    constexpr int kTries = 100; // CMD may have left any number of names
    Fd file;
    for (int i = 0; !file && i < kTries; ++i) {
        name = fmt::format("{}.{}.{}", name_, ::getpid(), i);
        file.reset(::openat(directory_.get(), name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644));
        if (!file && errno != EEXIST) {
            break;
        }
    }
    if (!file) {
        throw cannot_write(path_).kernel(errno);
    }
    return file;
}

void OutputFile::write(const std::string& text) const {
    std::string passing;
    const Fd file = make_passing(passing);
    const int directory = directory_.get();
    if (!write_all(file.get(), text) || ::renameat(directory, passing.c_str(), directory, name_.c_str()) < 0) {
        const int error_number = errno;
        ::unlinkat(directory, passing.c_str(), 0);
        throw cannot_write(path_).kernel(error_number);
    }
}

} // namespace sandbox::ctl
