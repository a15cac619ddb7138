// libarchive, opened by what reads an archive and by nothing else: dlopen(3). With all that it needs itself it takes
// longer to load than the other verbs of sandboxctl take.
#pragma once

#include <archive.h>
#include <archive_entry.h>

namespace sandbox {

/// The functions of libarchive(3) that are called here, without their prefix.
struct ArchiveLibrary {
#define SANDBOX_FUNCTION(name) decltype(::archive_##name)* name = find<decltype(::archive_##name)>("archive_" #name)
    SANDBOX_FUNCTION(entry_filetype);
    SANDBOX_FUNCTION(entry_gid);
    SANDBOX_FUNCTION(entry_hardlink);
    SANDBOX_FUNCTION(entry_mtime);
    SANDBOX_FUNCTION(entry_mtime_is_set);
    SANDBOX_FUNCTION(entry_mtime_nsec);
    SANDBOX_FUNCTION(entry_pathname);
    SANDBOX_FUNCTION(entry_perm);
    SANDBOX_FUNCTION(entry_size);
    SANDBOX_FUNCTION(entry_symlink);
    SANDBOX_FUNCTION(entry_uid);
    SANDBOX_FUNCTION(entry_xattr_next);
    SANDBOX_FUNCTION(entry_xattr_reset);
    SANDBOX_FUNCTION(error_string);
    SANDBOX_FUNCTION(filter_bytes);
    SANDBOX_FUNCTION(filter_count);
    SANDBOX_FUNCTION(read_data_block);
    SANDBOX_FUNCTION(read_free);
    SANDBOX_FUNCTION(read_new);
    SANDBOX_FUNCTION(read_next_header);
    SANDBOX_FUNCTION(read_open);
    SANDBOX_FUNCTION(read_open2);
    SANDBOX_FUNCTION(read_support_filter_xz);
    SANDBOX_FUNCTION(read_support_filter_zstd);
    SANDBOX_FUNCTION(read_support_format_empty);
    SANDBOX_FUNCTION(read_support_format_raw);
    SANDBOX_FUNCTION(read_support_format_tar);
    SANDBOX_FUNCTION(set_error);
#undef SANDBOX_FUNCTION

private:
    template <class Function> static Function* find(const char* name) {
        return reinterpret_cast<Function*>(find_symbol(name));
    }
    /// \throws Error where the library or the function is missing.
    static void* find_symbol(const char* name);
};

/// Opened by the first call; it stays until the process ends. \throws Error where it cannot be had.
[[nodiscard]] const ArchiveLibrary& archive_library();

} // namespace sandbox
