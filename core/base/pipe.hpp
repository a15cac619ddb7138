// The two ends of a pipe.
#pragma once

#include <string>

#include "core/base/fd.hpp"

namespace sandbox {

/// pipe(7), both ends closed when anything is executed.
struct Pipe {
    Fd read_end;
    Fd write_end;
};

/// \param whom what it leads to, for the message: "'/usr/bin/newuidmap'". \throws Error
[[nodiscard]] Pipe make_pipe(const std::string& whom);

} // namespace sandbox
