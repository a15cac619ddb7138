#include "core/base/pipe.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

#include "core/base/error.hpp"

namespace sandbox {

Pipe make_pipe(const std::string& whom) {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) < 0) {
        throw Error("cannot make a pipe for " + whom).kernel(errno);
    }
    return {Fd(ends[0]), Fd(ends[1])};
}

} // namespace sandbox
