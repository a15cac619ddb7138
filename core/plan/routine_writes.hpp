// What programs leave in a home as a matter of course, and do without when it is gone.
#pragma once

#include <string>
#include <string_view>

namespace sandbox {

/// Whether the file or directory `path` is such a thing: a cache, a history, a state of the XDG base directories.
/// \param home the caller's; both absolute.
[[nodiscard]] bool is_routine_write(const std::string& path, std::string_view home);

} // namespace sandbox
