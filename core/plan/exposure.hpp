// What a grant must not show: the rules that no profile can change, and those of the caller's directory.
#pragma once

#include <string>

#include "core/plan/filesystem_context.hpp"

namespace sandbox {

/// Whether a written path depends on the caller's directory.
[[nodiscard]] bool mentions_caller(const std::string& text);

/// Why a profile's $PWD does not expose the directory it names ("is your home"); empty where it does.
[[nodiscard]] std::string why_not_exposed(FilesystemContext& context, const PathFact& fact);

/// \throws Error where no grant may show what `fact` found: /proc, the runtime directory, our own directories.
void refuse_forbidden(const FilesystemContext& context, const PathFact& fact, bool writable, const Origin& origin);

/// \throws Error where `dest` belongs to the kernel's file systems or our own /dev. `source`: what shall stand there.
void refuse_kernel_place(const std::string& dest, const std::string& source, const Origin& origin);

} // namespace sandbox
