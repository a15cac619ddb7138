// The one exception type of the supervisor's side: what failed, on what, the kernel's word, causes and fixes.
#pragma once

#include <exception>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/exit_status.hpp"

namespace sandbox {

/// A failure told to the user. `what()` is the whole message without the "sandbox: " in front:
/// the first line, then "  cause: ..." and "  fix: ..." lines. Build it with the chain below:
///
///     throw Error("cannot read the profile '" + name + "'").kernel(ENOENT).fix("sandboxctl profile list");
class Error : public std::exception {
public:
    /// `summary` is lower case and has no full stop: "cannot VERB 'OBJECT'".
    explicit Error(std::string summary);

    /// Adds the kernel's word (strerror) to the summary. Pass errno read before anything was formatted.
    Error& kernel(int error_number) &;
    Error&& kernel(int error_number) &&;
    /// A cause that was found, not guessed.
    Error& cause(std::string text) &;
    Error&& cause(std::string text) &&;
    /// What the user can do about it: a command or a line to write.
    Error& fix(std::string text) &;
    Error&& fix(std::string text) &&;
    /// The exit status of the program that ends with this error; 125 unless set (126, 127: CMD's own start).
    Error&& status(int exit_status) &&;

    [[nodiscard]] const char* what() const noexcept override { return text_.c_str(); }
    [[nodiscard]] const std::string& summary() const { return summary_; }
    [[nodiscard]] int error_number() const { return error_number_; }
    [[nodiscard]] int exit_status() const { return exit_status_; }
    [[nodiscard]] const std::vector<std::string>& causes() const { return causes_; }
    [[nodiscard]] const std::vector<std::string>& fixes() const { return fixes_; }

private:
    void compose();

    std::string summary_;
    int error_number_ = 0;
    int exit_status_ = kOwnFailure;
    std::vector<std::string> causes_;
    std::vector<std::string> fixes_;
    std::string text_;
};

/// `text` in single quotes with control characters, invalid UTF-8 and newlines escaped (\n, \x1b), so that a
/// name of somebody else's making can neither forge a line nor drive the terminal.
[[nodiscard]] std::string quoted(std::string_view text);

/// `text` as one word of a shell, for a fix that is a command to paste: plain, 'a b', or $'a\nb'.
[[nodiscard]] std::string shell_quoted(std::string_view text);

/// As `quoted`, without the quotes.
[[nodiscard]] std::string escaped(std::string_view text);

/// Whether `text` is valid UTF-8 (RFC 3629), as TOML and JSON want it.
[[nodiscard]] bool is_utf8(std::string_view text);

/// The errno's text as strerror(3) has it ("Permission denied").
[[nodiscard]] std::string kernel_word(int error_number);

} // namespace sandbox
