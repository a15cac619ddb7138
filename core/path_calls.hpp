// The system calls that name a file, by their numbers on this machine: which argument is the name, and what for.
#pragma once

#include <linux/seccomp.h>

#include <cstdint>
#include <span>
#include <vector>

namespace sandbox {

/// What a call does with the name. Whether it is there decides about the rest: observed_paths.hpp.
enum class PathUse : std::uint8_t {
    look,      ///< stat(2), access(2), readlink(2), chdir(2), connect(2)
    read,      ///< open(2) for reading
    list,      ///< open(2) with O_DIRECTORY
    write,     ///< open(2) for writing, chmod(2), truncate(2), utimensat(2)
    open_new,  ///< open(2) with O_CREAT: writes what is there, or makes it
    make,      ///< mkdir(2), symlink(2), link(2), bind(2): fails where it is there
    take_away, ///< unlink(2), rmdir(2), rename(2): fails where it is not there
    put,       ///< the new name of rename(2)
    execute,   ///< execve(2)
};

/// A name that a call gives to the kernel, as its registers say it.
struct NamedPath {
    int directory = 0;         ///< the directory that a relative name starts from: a descriptor, or AT_FDCWD
    std::uint64_t address = 0; ///< of the name, in the caller's memory
    bool is_socket = false;    ///< connect(2), bind(2): what stands there is no string but a socket's address
    std::uint32_t length = 0;  ///< of that address
    std::uint64_t how = 0;     ///< openat2(2): the address of its open_how, which decides about `use`; else 0
    PathUse use = PathUse::look;
    bool follows_last_link = true;
};

namespace path_calls {

/// The numbers of all of them, sorted.
[[nodiscard]] std::span<const std::uint32_t> numbers();

/// The names of one call: one, or two of rename(2) and link(2). None for a call that is not of these.
[[nodiscard]] std::vector<NamedPath> names_of(const seccomp_data& call);

/// What open(2) with these flags does with the name.
[[nodiscard]] NamedPath opened(NamedPath named, std::uint64_t flags);

} // namespace path_calls

} // namespace sandbox
