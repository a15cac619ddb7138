// The file of --report-json: opened before CMD starts, written when it has ended.
#pragma once

#include <array>
#include <optional>
#include <string>

#include "core/base/fd.hpp"

namespace sandbox {

/// Where --report-json writes. Opened before CMD starts, so that what cannot be written is an error then.
class ReportFile {
public:
    /// The descriptor that `target` names; nothing of a path.
    [[nodiscard]] static std::optional<int> as_descriptor(const std::string& target);

    /// \param target a descriptor's number, or a path. \param was_open prepare_standard_streams'. \throws Error
    ReportFile(const std::string& target, const std::array<bool, 3>& was_open, bool detached);
    ReportFile(const ReportFile&) = delete;
    ReportFile& operator=(const ReportFile&) = delete;
    /// A file that was made for a report that never came is taken away.
    ~ReportFile();

    /// In the place of what the file held. \throws Error, also where another file has its name by now.
    void write(const std::string& text);

private:
    std::string target_; ///< as it was asked for
    std::string path_;   ///< empty for a descriptor
    bool made_ = false;
    Fd file_;
};

} // namespace sandbox
