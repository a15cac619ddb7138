#include "cmd/common/print.hpp"

#include <unistd.h>

#include <cerrno>

#include <fmt/format.h>

#include "core/base/error.hpp"
#include "core/base/file.hpp"

namespace sandbox {

void print(std::string_view text) {
    if (!write_all(STDOUT_FILENO, text)) {
        throw Error("cannot write to the standard output").kernel(errno);
    }
}

void complain(std::string_view text, std::string_view program) {
    // Where standard error cannot be written to, nobody is left to be told.
    static_cast<void>(write_all(STDERR_FILENO, fmt::format("{}: {}\n", program, text)));
}

} // namespace sandbox
