#include "core/image/store_files.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "core/base/directory.hpp"
#include "core/base/error.hpp"
#include "core/base/file.hpp"
#include "core/plan/image_reference.hpp"
#include "core/remove_tree.hpp"

namespace sandbox::image {

namespace {

[[noreturn]] void refuse(const char* what, const std::string& path, int error_number) {
    throw Error(std::string("cannot ") + what + " the image store's " + quoted(path)).kernel(error_number);
}

} // namespace

std::string image_path(const std::string& id) {
    return "images/" + hex_of(id);
}

void make_directory(const std::string& path) {
    if (::mkdir(path.c_str(), S_IRWXU) < 0 && errno != EEXIST) {
        refuse("make", path, errno);
    }
}

Fd open_directory(const std::string& path) {
    Fd directory(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (!directory) {
        refuse("open", path, errno);
    }
    return directory;
}

void write_file(const std::string& path, std::string_view text) {
    const Fd file(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, S_IRUSR | S_IWUSR));
    if (!file || !write_all(file.get(), text) || ::fsync(file.get()) < 0) {
        refuse("write", path, errno);
    }
}

void move(const std::string& from, const std::string& to) {
    if (::rename(from.c_str(), to.c_str()) < 0) {
        refuse("put in its place", to, errno);
    }
}

void sync_directory(const std::string& path) {
    const Fd directory = open_directory(path);
    if (::fsync(directory.get()) < 0) {
        refuse("write", path, errno);
    }
}

std::vector<std::string> names_in(const std::string& directory) {
    std::optional<std::vector<std::string>> names = list_directory(directory);
    if (!names && errno != ENOENT) {
        refuse("list", directory, errno);
    }
    return names ? std::move(*names) : std::vector<std::string>();
}

bool exists(const std::string& path) {
    struct stat status {};
    return ::lstat(path.c_str(), &status) == 0;
}

void remove_tree(const std::string& path) {
    if (::unlink(path.c_str()) != 0) {
        static_cast<void>(sandbox::remove_tree(AT_FDCWD, path.c_str()));
    }
}

} // namespace sandbox::image
