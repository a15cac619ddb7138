// sandboxctl ps: the sandboxes that run.
#include <poll.h>

#include <algorithm>
#include <chrono>
#include <iterator>
#include <memory>
#include <optional>
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
#include "core/process_identity.hpp"
#include "core/process_table.hpp"
#include "core/run_log.hpp"

namespace sandbox::ctl {

namespace {

struct Row {
    RunRecord record;
    Figures figures;
    bool is_detached = false;
    bool is_ending = false; ///< pid 1 has ended, and the supervisor is clearing up
    bool has_ended = false;
    std::optional<RunEnd> end = {}; ///< nothing where that cannot be learned
    std::uint64_t lost = 0;         ///< of the log of a detached run, for want of room on the disk
};

void look_at_log(const FoundRun& run, Row& row) {
    row.is_detached = is_detached(run);
    row.lost = row.is_detached ? LogReader(run.directory.get()).lost() : 0;
}

/// The detached ones that have ended.
std::vector<Row> look_at_ended() {
    std::vector<Row> rows;
    for (const FoundRun& run : find_ended_runs(run_registry())) {
        if (std::optional<RunRecord> record = record_of(run)) {
            Row row{.record = std::move(*record), .figures = {}};
            row.has_ended = true;
            row.end = read_end(open_status(run));
            look_at_log(run, row);
            rows.push_back(std::move(row));
        }
    }
    return rows;
}

/// Whether its pid 1 has ended. From another pid namespace neither process can be seen, and nothing is known.
bool is_ending(const RunRecord& record) {
    const Fd init = open_process(record.init);
    pollfd watched{.fd = init.get(), .events = POLLIN, .revents = 0};
    const bool has_ended = !init || ::poll(&watched, 1, 0) > 0;
    return has_ended && open_process(record.supervisor);
}

/// Those whose CMD may run: who is still being started has no record, and uses nothing worth a row.
std::vector<Row> look() {
    std::vector<FoundRun> runs;
    std::vector<Row> rows;
    for (FoundRun& run : find_runs(run_registry())) {
        const std::optional<std::string> text = read_file_of(run, kRecordFile, kLongestRecord);
        if (!text) {
            continue;
        }
        if (std::optional<RunRecord> record = read_run_record(*text)) {
            record->name = run.name; // the entry's, whatever stands in it
            rows.push_back({.record = std::move(*record), .figures = {}});
            runs.push_back(std::move(run));
        } else {
            complain("cannot read the record of the sandbox " + sandbox::quoted(run.name) +
                         ": another version of sandbox has written it",
                     "sandboxctl");
        }
    }
    const ProcessTable processes;
    for (std::size_t i = 0; i < rows.size(); ++i) {
        rows[i].figures = measure(rows[i].record, processes);
        rows[i].is_ending = is_ending(rows[i].record); // looked at last: what runs was measured whole
    }
    for (std::size_t i = 0; i < rows.size(); ++i) {
        look_at_log(runs[i], rows[i]);
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
        published.push_back(port_json(port));
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
    object["detached"] = row.is_detached;
    object["lost_bytes"] = row.is_detached ? Json(row.lost) : Json(nullptr);
    object["state"] = row.has_ended ? "ended" : row.is_ending ? "ending" : "running";
    if (row.has_ended) {
        object["status"] = row.end ? Json(row.end->status) : Json(nullptr);
        object["reason"] = row.end ? Json(row.end->reason) : Json(nullptr);
        return object;
    }
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
        words.push_back(fmt::format("{}:{}->{}/{}", is_ipv6 ? "[" + escaped(port.address) + "]" : escaped(port.address),
                                    port.host_port, port.sandbox_port, port.is_udp ? "udp" : "tcp"));
    }
    return words.empty() ? "-" : fmt::format("{}", fmt::join(words, ","));
}

std::string state_words(const Row& row) {
    const std::string loss = row.lost > 0 ? ", log lost " + about_bytes(row.lost) : "";
    if (!row.has_ended) {
        return (row.is_ending ? "ending" : "running") + loss;
    }
    return (row.end ? fmt::format("ended: {} ({})", row.end->status, row.end->reason) : "ended: not known how") + loss;
}

std::string table_of(const std::vector<Row>& rows, bool all) {
    const auto now = std::chrono::system_clock::now().time_since_epoch();
    const auto words = [](const Figures::Count& count, std::string (*how)(std::uint64_t)) {
        return count ? how(*count) : "-";
    };
    std::vector<std::string> titles = {"NAME", "PROFILE", "COMMAND", "AGE", "PIDS", "MEMORY", "CPU", "FROM", "PORTS"};
    if (all) {
        titles.emplace_back("STATE");
    }
    Table table(std::move(titles));
    for (const Row& row : rows) {
        const auto age = now - std::chrono::microseconds(row.record.started);
        const Figures& figures = row.figures;
        std::vector<std::string> cells = {row.record.name,
                                          escaped(row.record.profile),
                                          command_words(row.record.arguments),
                                          about_age(std::chrono::duration_cast<std::chrono::seconds>(age)),
                                          figures.pids ? std::to_string(*figures.pids) : "-",
                                          words(figures.memory, about_bytes),
                                          words(figures.cpu_microseconds, about_time),
                                          row.has_ended ? "-" : std::string(counted_by(figures)),
                                          port_words(row.record.published)};
        if (all) {
            cells.push_back(state_words(row));
        }
        table.add(std::move(cells));
    }
    return table.text();
}

void print_names(bool all) {
    std::string text;
    for (const FoundRun& run : find_runs(run_registry())) {
        text += run.name + "\n";
    }
    for (const FoundRun& run : all ? find_ended_runs(run_registry()) : std::vector<FoundRun>()) {
        text += run.name + "\n";
    }
    print(text);
}

int list(bool all, bool json, bool names_only) {
    if (names_only) {
        print_names(all);
        return 0;
    }
    std::vector<Row> rows = look();
    if (all) {
        std::ranges::move(look_at_ended(), std::back_inserter(rows));
    }
    if (!json) {
        print(table_of(rows, all));
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
    const auto all = std::make_shared<bool>(false);
    const auto names_only = std::make_shared<bool>(false);
    verb->add_flag("-a,--all", *all, "the detached ones that have ended too");
    CLI::Option* as_json = verb->add_flag("--json", *json, "for programs");
    verb->add_flag("-q,--quiet", *names_only, "their names alone, a line each")->excludes(as_json);
    verb->callback([&chosen, all, json, names_only] {
        chosen = [all, json, names_only] { return list(*all, *json, *names_only); };
    });
}

} // namespace sandbox::ctl
