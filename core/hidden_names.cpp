#include "core/hidden_names.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <climits>
#include <cstddef>
#include <cstring>
#include <optional>
#include <tuple>

#include "core/mount.hpp"

namespace sandbox::hidden_names {

namespace {

/// Made last: no link that is as it was planted has a later time of change.
constexpr const char* kEnd = "end";

/// A number as the name of a file.
using NumberName = std::array<char, 8>;

NumberName second_name(std::size_t number) {
    NumberName name{};
    std::to_chars(name.data(), name.data() + name.size() - 1, number);
    return name;
}

/// The part of `path` behind the home.
const char* in_home(const std::string& path, const HiddenNames& names) {
    return path.c_str() + names.home.size() + 1;
}

/// A directory that a grant has its mount point in is there already.
void make_directory(int home, const std::string& path, const HiddenNames& names, const Identity& owner,
                    const StepReporter& failure) {
    const char* const below = in_home(path, names);
    if (::mkdirat(home, below, 0700) < 0) {
        failure.expect(Step::plant_link, errno == EEXIST, errno, path.c_str());
        return;
    }
    if (owner.uid != ::geteuid() || owner.gid != ::getegid()) {
        failure.at(Step::plant_link, ::fchownat(home, below, owner.uid, owner.gid, AT_SYMLINK_NOFOLLOW), path.c_str());
    }
}

/// Whoever entered the sandbox meanwhile may have taken the name, or the directory that it stands in.
bool is_taken(int error_number) {
    return error_number == EEXIST || error_number == ENOENT || error_number == ENOTDIR || error_number == ELOOP;
}

/// Gives the link its name in the home. No link in the way is followed, for this process has more rights than CMD.
void name_in_home(const Places& places, const char* second, const HiddenName& name, const HiddenNames& names,
                  const StepReporter& failure) {
    const char* const below = in_home(name.path, names);
    const char* const slash = std::strrchr(below, '/');
    Fd parent;
    if (slash != nullptr) {
        char way[PATH_MAX] = {};
        std::memcpy(way, below, std::min(static_cast<std::size_t>(slash - below), sizeof way - 1));
        parent = mount::open_below(places.home.get(), way);
        failure.expect(Step::plant_link, parent || is_taken(errno), errno, name.path.c_str());
        if (!parent) {
            return;
        }
    }
    const int directory = parent ? parent.get() : places.home.get();
    const int linked = ::linkat(places.second.get(), second, directory, slash != nullptr ? slash + 1 : below, 0);
    failure.expect(Step::plant_link, linked == 0 || is_taken(errno), errno, name.path.c_str());
}

void make_link(const Places& places, const HiddenName& name, std::size_t number, const HiddenNames& names,
               const StepReporter& failure) {
    // relatime notes a first access only where the last one is no younger than the last change.
    constexpr timespec kTimes[] = {{.tv_sec = 0, .tv_nsec = 0}, {.tv_sec = 0, .tv_nsec = UTIME_OMIT}};
    const NumberName second = second_name(number);
    const int directory = places.second.get();
    const char* const object = name.path.c_str();
    failure.at(Step::plant_link, ::symlinkat(name.target.c_str(), directory, second.data()), object);
    failure.at(Step::plant_link, ::utimensat(directory, second.data(), kTimes, AT_SYMLINK_NOFOLLOW), object);
    name_in_home(places, second.data(), name, names, failure);
    // Since Linux 6.13 a time of change that somebody has asked for is not given out twice: after this call what CMD
    // does to the link shows, even within one tick of the clock.
    struct stat status {};
    failure.at(Step::plant_link, ::fstatat(directory, second.data(), &status, AT_SYMLINK_NOFOLLOW), object);
}

std::optional<struct stat> look(int directory, const char* path) {
    struct stat status {};
    return ::fstatat(directory, path, &status, AT_SYMLINK_NOFOLLOW) == 0 ? std::optional(status) : std::nullopt;
}

bool is_later(const timespec& left, const timespec& right) {
    return std::tie(left.tv_sec, left.tv_nsec) > std::tie(right.tv_sec, right.tv_nsec);
}

} // namespace

void make_directories(const Places& places, const HiddenNames& names, const Identity& owner,
                      const StepReporter& failure) {
    if (!places.home) {
        return;
    }
    for (const std::string& directory : names.directories) {
        make_directory(places.home.get(), directory, names, owner, failure);
    }
    for (const HiddenName& name : names.list) {
        if (name.is_directory) {
            make_directory(places.home.get(), name.target, names, owner, failure);
        }
    }
}

void plant(const Places& places, const HiddenNames& names, const StepReporter& failure) {
    if (!places.home) {
        return;
    }
    for (std::size_t i = 0; i < names.list.size(); ++i) {
        make_link(places, names.list[i], i, names, failure);
    }
    failure.at(Step::plant_link, ::mkdirat(places.second.get(), kEnd, 0700), names.home.c_str());
}

std::vector<std::string> looked_at(int stage, const HiddenNames& names) {
    std::vector<std::string> result;
    const Fd second(::openat(stage, kSecondNames, O_PATH | O_DIRECTORY | O_CLOEXEC));
    const std::optional<struct stat> end = second ? look(second.get(), kEnd) : std::nullopt;
    for (std::size_t i = 0; end && i < names.list.size(); ++i) {
        const std::optional<struct stat> link = look(second.get(), second_name(i).data());
        const bool was_walked = link && is_later(link->st_atim, {}) && !is_later(link->st_ctim, end->st_ctim);
        if (was_walked && look(AT_FDCWD, names.list[i].source.c_str())) {
            result.push_back(names.list[i].name);
        }
    }
    return result;
}

} // namespace sandbox::hidden_names
