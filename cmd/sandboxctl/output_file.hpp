// A file that is written whole or not at all.
#pragma once

#include <string>

#include "core/base/fd.hpp"

namespace sandbox::ctl {

/// Under a passing name first, made before there is anything to write: what fails leaves the file as it was, and shows
/// early.
class OutputFile {
public:
    /// \throws Error where none can be made beside `path`.
    explicit OutputFile(std::string path);
    OutputFile(const OutputFile&) = delete;
    OutputFile& operator=(const OutputFile&) = delete;
    ~OutputFile();

    /// Puts the text in the place of what `path` held. \throws Error
    void write(const std::string& text);

private:
    std::string path_;
    std::string passing_; ///< empty: it has the file's name by now
    Fd file_;
};

} // namespace sandbox::ctl
