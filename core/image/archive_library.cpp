#include "core/image/archive_library.hpp"

#include <dlfcn.h>

#include <fmt/format.h>

#include "core/base/error.hpp"

namespace sandbox {

void* ArchiveLibrary::find_symbol(const char* name) {
    static void* const handle = ::dlopen("libarchive.so.13", RTLD_NOW | RTLD_LOCAL);
    if (handle == nullptr) {
        throw Error("cannot read an archive")
            .cause("libarchive.so.13 is not installed")
            .fix("install the package libarchive13 (Debian, Ubuntu) or libarchive (Fedora, Arch)");
    }
    void* const symbol = ::dlsym(handle, name);
    if (symbol == nullptr) {
        throw Error(fmt::format("libarchive.so.13 has no function {}", name)).fix("install a newer libarchive");
    }
    return symbol;
}

const ArchiveLibrary& archive_library() {
    static const ArchiveLibrary library;
    return library;
}

} // namespace sandbox
