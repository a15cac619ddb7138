// What a run refused: told at its end, to people on standard error, to programs as JSON. Nothing is told that is not
// known: all of it comes from the kernel or from processes of ours outside.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "cmd/common/run_options.hpp"
#include "cmd/sandbox/explain.hpp"
#include "cmd/sandbox/outcome.hpp"
#include "core/base/fd.hpp"
#include "core/plan/host.hpp"
#include "core/plan/path_grant.hpp"
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

    /// In the place of what the file held. \throws Error, also where another file has its name by now.
    void write(const std::string& text);

private:
    std::string target_; ///< as it was asked for
    std::string path_;   ///< empty for a descriptor
    bool made_ = false;
    Fd file_;
};

/// What the run's refusals come to. All must outlive it.
class Report {
public:
    Report(const Outcome& outcome, const Plan& plan, const Host& host);

    /// For people; empty where there is nothing to tell.
    [[nodiscard]] std::string text() const;
    /// For programs: one object, complete, and a newline; its members: sandbox(1), REPORT.
    [[nodiscard]] std::string json(std::chrono::system_clock::time_point start,
                                   std::chrono::system_clock::time_point end) const;

private:
    [[nodiscard]] std::vector<std::string> hidden_names() const;

    const Outcome& outcome_;
    const Plan& plan_;
    CallerPlaces places_;
    std::uint64_t left_out_; ///< names of files that were not looked into
    std::vector<RefusedFile> files_;
};

/// Whether the text is told.
[[nodiscard]] bool is_report_told(const ReportOptions& options, const Outcome& outcome, bool quiet, bool to_terminal);

} // namespace sandbox
