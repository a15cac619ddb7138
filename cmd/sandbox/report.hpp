// What a run refused: told at its end, to people on standard error, to programs as JSON. Nothing is told that is not
// known: all of it comes from the kernel or from processes of ours outside.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "cmd/common/run_options.hpp"
#include "cmd/sandbox/outcome.hpp"
#include "core/base/fd.hpp"
#include "core/plan/host.hpp"
#include "core/plan/plan.hpp"

namespace sandbox {

/// Where --report-json writes. Opened before CMD starts, so that what cannot be written is an error then.
class ReportFile {
public:
    /// \param target a descriptor's number, or a path. \throws Error
    ReportFile(const std::string& target, bool detached);
    ReportFile(const ReportFile&) = delete;
    ReportFile& operator=(const ReportFile&) = delete;
    /// A file that was made for a report that never came is taken away.
    ~ReportFile();

    /// In the place of what the file held. \throws Error
    void write(const std::string& text);

private:
    std::string path_; ///< empty for a descriptor
    bool made_ = false;
    Fd file_;
};

/// The text for people; empty where there is nothing to tell.
[[nodiscard]] std::string report_text(const Outcome& outcome, const Plan& plan, const Host& host);

/// Whether that is told.
[[nodiscard]] bool is_report_told(const ReportOptions& options, const Outcome& outcome, bool quiet, bool to_terminal);

/// One object, complete, and a newline; its members: sandbox(1), REPORT.
[[nodiscard]] std::string report_json(const Outcome& outcome, const Plan& plan, const Host& host,
                                      std::chrono::system_clock::time_point start,
                                      std::chrono::system_clock::time_point end);

} // namespace sandbox
