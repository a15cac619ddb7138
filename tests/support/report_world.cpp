#include "tests/support/report_world.hpp"

#include <algorithm>
#include <stdexcept>
#include <utility>

namespace sandbox::test {

using nlohmann::json;

json Reported::of(const std::string& object) const {
    const json& refusals = report.at("refusals");
    const auto found = std::ranges::find_if(refusals, [&](const json& one) { return one.at("object") == object; });
    return found == refusals.end() ? json(nullptr) : *found;
}

Reported ReportWorld::reported(const Words& options, const Words& command) const {
    Words words = {"--report-json", report_file()};
    words.insert(words.end(), options.begin(), options.end());
    words.emplace_back("--");
    words.insert(words.end(), command.begin(), command.end());
    return read(sandbox(words));
}

Reported ReportWorld::read(Result result) const {
    const std::string text = read_file(report_file());
    if (text.empty()) {
        throw std::runtime_error("no report was written: " + result.err);
    }
    return {.result = std::move(result), .report = json::parse(text)};
}

} // namespace sandbox::test
