#include "cmd/common/print.hpp"

#include <unistd.h>

#include <cerrno>

#include <fmt/format.h>

#include "core/base/error.hpp"

namespace sandbox {

namespace {

/// \return false and errno where not everything could be written.
bool write_all(int descriptor, std::string_view text) {
    while (!text.empty()) {
        const ssize_t count = ::write(descriptor, text.data(), text.size());
        if (count < 0 && errno == EINTR) {
            continue;
        }
        if (count < 0) {
            return false;
        }
        text.remove_prefix(static_cast<std::size_t>(count));
    }
    return true;
}

} // namespace

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
