// The two voices of our programs: what was asked for on standard output, everything else on standard error.
#pragma once

#include <string>
#include <string_view>

namespace sandbox {

/// Writes all of `text` to standard output.
/// \throws Error where it cannot be written: a full disk must not look like an empty answer.
void print(std::string_view text);

/// Writes "sandbox: TEXT" and a newline to standard error, in one write so that lines of two processes do not mix.
/// \param program another name in front.
void complain(std::string_view text, std::string_view program = "sandbox");

} // namespace sandbox
