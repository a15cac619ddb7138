// What a worker process tells at its end: a text, or an Error in its parts.
#pragma once

#include <optional>
#include <string>

#include "core/base/error.hpp"

namespace sandbox::image {

struct WorkerResult {
    std::string text;
    std::optional<Error> error;
};

[[nodiscard]] WorkerResult failed_with(const Error& error);

[[nodiscard]] std::string to_text(const WorkerResult& result);

/// The text of a result. \throws Error that it holds, or where it is none.
[[nodiscard]] std::string result_of(const std::string& text);

} // namespace sandbox::image
