// A file that is written whole or not at all.
#pragma once

#include <string>

#include "core/base/fd.hpp"

namespace sandbox::ctl {

/// Under a passing name first, which is made when there is something to write: what fails leaves the file as it was,
/// and CMD, which may write in the same directory, has ended by then.
class OutputFile {
public:
    /// Holds the directory open, so that nobody leads the file elsewhere meanwhile.
    /// \throws Error where no file could be written there: that shows before CMD runs.
    explicit OutputFile(std::string path);

    /// Puts the text in the place of what `path` held. \throws Error
    void write(const std::string& text) const;

private:
    [[nodiscard]] Fd make_passing(std::string& name) const;

    std::string path_; ///< as it was asked for
    std::string name_; ///< in the directory
    Fd directory_;
};

} // namespace sandbox::ctl
