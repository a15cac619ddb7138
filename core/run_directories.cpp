#include "core/run_directories.hpp"

#include <fcntl.h>
#include <sys/file.h>

#include <cerrno>
#include <cstdlib>
#include <utility>

#include "core/base/directory.hpp"
#include "core/base/error.hpp"

namespace sandbox {

namespace {

Fd open_in(const Fd& directory, const char* name) {
    return Fd(::openat(directory.get(), name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
}

} // namespace

RunDirectory make_run_directory(const std::string& runs) {
    std::string path = runs + "/XXXXXX";
    // Until the new one is locked, nobody may take it for one that was left.
    const Fd whole(::open(runs.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!whole || ::flock(whole.get(), LOCK_SH) < 0 || ::mkdtemp(path.data()) == nullptr) {
        const int error_number = errno;
        throw Error("cannot make a directory in " + quoted(runs)).kernel(error_number);
    }
    RunDirectory made{.name = path.substr(path.rfind('/') + 1), .lock = {}};
    made.lock = open_in(whole, made.name.c_str());
    if (!made.lock || ::flock(made.lock.get(), LOCK_EX | LOCK_NB) < 0) {
        const int error_number = errno;
        throw Error("cannot lock " + quoted(path)).kernel(error_number);
    }
    return made;
}

std::vector<RunDirectory> find_left_directories(const Fd& runs) {
    std::vector<RunDirectory> left;
    const Fd whole = open_in(runs, "."); // a description of its own: locks belong to those
    if (!whole || ::flock(whole.get(), LOCK_EX | LOCK_NB) != 0) {
        return left;
    }
    for (const std::string& name : list_directory(runs.get()).value_or(std::vector<std::string>())) {
        Fd lock = name.starts_with('.') ? Fd() : open_in(runs, name.c_str());
        if (lock && ::flock(lock.get(), LOCK_EX | LOCK_NB) == 0) {
            left.push_back({name, std::move(lock)});
        }
    }
    return left;
}

} // namespace sandbox
