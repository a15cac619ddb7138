// Runs that write the report for programs, and what they wrote.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "tests/support/world.hpp"

namespace sandbox::test {

/// A run with --report-json, and its report.
struct Reported {
    Result result;
    nlohmann::json report;

    /// What was refused of that name: a system call, a path inside. Null where nothing was.
    [[nodiscard]] nlohmann::json of(const std::string& object) const;
};

struct ReportWorld : World {
    [[nodiscard]] std::string report_file() const { return (home / "report.json").string(); }
    /// `sandbox --report-json FILE OPTIONS... -- COMMAND...`
    [[nodiscard]] Reported reported(const Words& options, const Words& command) const;
    /// The report that the run wrote to `report_file`. \throws where there is none.
    [[nodiscard]] Reported read(Result result) const;
};

} // namespace sandbox::test
