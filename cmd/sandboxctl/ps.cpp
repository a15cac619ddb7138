// sandboxctl ps: the sandboxes that run.
#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "cmd/common/figure_words.hpp"
#include "cmd/common/json.hpp"
#include "cmd/common/print.hpp"
#include "cmd/sandboxctl/figures.hpp"
#include "cmd/sandboxctl/runs.hpp"
#include "cmd/sandboxctl/table.hpp"
#include "cmd/sandboxctl/verbs.hpp"
#include "core/base/error.hpp"
#include "core/process_table.hpp"

namespace sandbox::ctl {

namespace {

struct Row {
    RunRecord record;
    Figures figures;
};

/// Those whose CMD may run: who is still being started has no record, and uses nothing worth a row.
std::vector<Row> look() {
    std::vector<FoundRun> runs;
    std::vector<Row> rows;
    for (FoundRun& run : find_runs(run_registry())) {
        if (std::optional<RunRecord> record = record_of(run)) {
            rows.push_back({.record = std::move(*record), .figures = {}});
            runs.push_back(std::move(run));
        }
    }
    const ProcessTable processes;
    for (std::size_t i = 0; i < rows.size(); ++i) {
        rows[i].figures = measure(rows[i].record, processes);
    }
    // What has ended meanwhile was measured half.
    std::vector<Row> alive;
    for (std::size_t i = 0; i < rows.size(); ++i) {
        if (is_alive(runs[i])) {
            alive.push_back(std::move(rows[i]));
        }
    }
    return alive;
}

Json process_json(const ProcessIdentity& process) {
    return {{"pid", process.pid}, {"start_time", process.start_time}};
}

Json or_null(const std::string& text) {
    return text.empty() ? Json(nullptr) : Json(text);
}

Json to_json(const Row& row) {
    const RunRecord& record = row.record;
    Json namespaces = Json::object();
    for (std::size_t i = 0; i < kNamespaceNames.size(); ++i) {
        namespaces[kNamespaceNames[i]] = record.namespaces[i].inode;
    }
    Json published = Json::array();
    for (const RecordedPort& port : record.published) {
        published.push_back({{"address", port.address},
                             {"protocol", port.is_udp ? "udp" : "tcp"},
                             {"host_port", port.host_port},
                             {"sandbox_port", port.sandbox_port}});
    }
    Json object = {{"name", record.name},
                   {"profile", record.profile},
                   {"command", record.arguments},
                   {"started_usec", record.started},
                   {"supervisor", process_json(record.supervisor)},
                   {"init", process_json(record.init)},
                   {"namespaces", std::move(namespaces)},
                   {"cgroup", or_null(record.cgroup)},
                   {"unit", or_null(record.unit)},
                   {"network", record.network_mode},
                   {"published", std::move(published)},
                   {"image", or_null(record.image)},
                   {"image_id", or_null(record.image_id)},
                   {"kept", or_null(record.kept)}};
    add_to(object, row.figures);
    return object;
}

std::string command_words(const std::vector<std::string>& arguments) {
    constexpr std::size_t kMost = 40;
    std::string text;
    for (const std::string& argument : arguments) {
        text += (text.empty() ? "" : " ") + shell_quoted(argument);
    }
    text = escaped(text);
    std::size_t characters = 0;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const bool starts_character = (static_cast<unsigned char>(text[i]) & 0xc0U) != 0x80U;
        if (starts_character && ++characters > kMost) {
            return text.substr(0, i) + "...";
        }
    }
    return text;
}

std::string port_words(const std::vector<RecordedPort>& ports) {
    std::vector<std::string> words;
    for (const RecordedPort& port : ports) {
        const bool is_ipv6 = port.address.find(':') != std::string::npos;
        words.push_back(fmt::format("{}:{}->{}/{}", is_ipv6 ? "[" + port.address + "]" : port.address, port.host_port,
                                    port.sandbox_port, port.is_udp ? "udp" : "tcp"));
    }
    return words.empty() ? "-" : fmt::format("{}", fmt::join(words, ","));
}

std::string table_of(const std::vector<Row>& rows) {
    const auto now = std::chrono::system_clock::now().time_since_epoch();
    const auto words = [](const Figures::Count& count, std::string (*how)(std::uint64_t)) {
        return count ? how(*count) : "-";
    };
    Table table({"NAME", "PROFILE", "COMMAND", "AGE", "PIDS", "MEMORY", "CPU", "FROM", "PORTS"});
    for (const Row& row : rows) {
        const auto age = now - std::chrono::microseconds(row.record.started);
        const Figures& figures = row.figures;
        table.add({row.record.name, escaped(row.record.profile), command_words(row.record.arguments),
                   about_age(std::chrono::duration_cast<std::chrono::seconds>(age)),
                   figures.pids ? std::to_string(*figures.pids) : "-", words(figures.memory, about_bytes),
                   words(figures.cpu_microseconds, about_time), std::string(counted_by(figures)),
                   port_words(row.record.published)});
    }
    return table.text();
}

int list(bool json, bool names_only) {
    if (names_only) {
        std::string text;
        for (const FoundRun& run : find_runs(run_registry())) {
            text += run.name + "\n";
        }
        print(text);
        return 0;
    }
    const std::vector<Row> rows = look();
    if (!json) {
        print(table_of(rows));
        return 0;
    }
    Json document = Json::array();
    for (const Row& row : rows) {
        document.push_back(to_json(row));
    }
    print(to_text(document));
    return 0;
}

} // namespace

void add_ps(CLI::App& program, Action& chosen) {
    CLI::App* verb = program.add_subcommand("ps", "the sandboxes that run, and what they use");
    const auto json = std::make_shared<bool>(false);
    const auto names_only = std::make_shared<bool>(false);
    CLI::Option* as_json = verb->add_flag("--json", *json, "for programs");
    verb->add_flag("-q,--quiet", *names_only, "their names alone, a line each")->excludes(as_json);
    verb->callback([&chosen, json, names_only] { chosen = [json, names_only] { return list(*json, *names_only); }; });
}

} // namespace sandbox::ctl
