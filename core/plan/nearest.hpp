// "did you mean": the nearest known name for a mistyped one.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sandbox {

/// The known name within an edit distance of a third of its length, nearest first found; empty where none is near.
[[nodiscard]] std::string nearest(std::string_view word, std::span<const std::string_view> known);
[[nodiscard]] std::string nearest(std::string_view word, const std::vector<std::string>& known);

} // namespace sandbox
