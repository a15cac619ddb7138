// sandboxctl stats: what sandboxes use, again and again.
#include <poll.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "cmd/common/figure_words.hpp"
#include "cmd/common/json.hpp"
#include "cmd/common/print.hpp"
#include "cmd/sandboxctl/attempts.hpp"
#include "cmd/sandboxctl/figures.hpp"
#include "cmd/sandboxctl/runs.hpp"
#include "cmd/sandboxctl/table.hpp"
#include "cmd/sandboxctl/verbs.hpp"
#include "core/process_table.hpp"

namespace sandbox::ctl {

namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::milliseconds kInterval{1000};
/// Between the two looks that the CPU's share of a single sample takes.
constexpr std::chrono::milliseconds kShortest{250};

struct Sample {
    std::string name;
    ProcessIdentity init; ///< tells a run from a later one of its name
    Figures figures;
    Clock::time_point when;
    std::optional<double> cpu_percent; ///< of one CPU, since the sample before
};

class Sampler {
public:
    /// \param names of the sandboxes that are looked at; empty: all that run.
    explicit Sampler(const std::vector<std::string>& names) : registry_(run_registry()), takes_all_(names.empty()) {
        attempts_.make_for_each(names, [&](const std::string& name) {
            static_cast<void>(expect_run(registry_, name, names));
            names_.push_back(name);
        });
    }

    [[nodiscard]] bool takes_all() const { return takes_all_; }
    /// Whether there is none to look at, of those that were named.
    [[nodiscard]] bool is_idle() const { return !takes_all_ && names_.empty(); }
    /// 0, or that of a name that no sandbox has.
    [[nodiscard]] int status() const { return attempts_.status(); }

    [[nodiscard]] std::vector<Sample> take() {
        std::vector<Sample> samples;
        const ProcessTable processes;
        for (const FoundRun& run : find_runs(registry_)) {
            const std::optional<RunRecord> record = is_wanted(run.name) ? record_of(run) : std::nullopt;
            if (!record) {
                continue;
            }
            Sample sample{.name = run.name,
                          .init = record->init,
                          .figures = measure(*record, processes),
                          .when = Clock::now(),
                          .cpu_percent = {}};
            if (is_alive(run)) {
                sample.cpu_percent = share_since_last(sample);
                samples.push_back(std::move(sample));
            }
        }
        last_ = samples;
        return samples;
    }

private:
    [[nodiscard]] bool is_wanted(const std::string& name) const {
        return takes_all_ || std::ranges::find(names_, name) != names_.end();
    }

    [[nodiscard]] std::optional<double> share_since_last(const Sample& sample) const {
        const auto before = std::ranges::find(last_, sample.name, &Sample::name);
        if (before == last_.end() || before->init != sample.init) {
            return std::nullopt;
        }
        const Figures::Count& now = sample.figures.cpu_microseconds;
        const Figures::Count& then = before->figures.cpu_microseconds;
        const double wall = std::chrono::duration<double, std::micro>(sample.when - before->when).count();
        // A process that ended and was not waited for takes its time out of a sum over processes.
        if (!now || !then || wall <= 0) {
            return std::nullopt;
        }
        return 100.0 * static_cast<double>(*now - std::min(*now, *then)) / wall;
    }

    std::string registry_;
    bool takes_all_;
    Attempts attempts_;
    std::vector<std::string> names_;
    std::vector<Sample> last_;
};

std::string json_lines(const std::vector<Sample>& samples) {
    const auto now = std::chrono::system_clock::now().time_since_epoch();
    std::string text;
    for (const Sample& sample : samples) {
        Json object = {{"name", sample.name},
                       {"time_usec", std::chrono::duration_cast<std::chrono::microseconds>(now).count()}};
        add_to(object, sample.figures);
        object["cpu_percent"] = sample.cpu_percent ? Json(*sample.cpu_percent) : Json(nullptr);
        text += object.dump() + "\n";
    }
    return text;
}

std::string table_of(const std::vector<Sample>& samples, std::size_t width) {
    const auto bytes = [](const Figures::Count& count) { return count ? about_bytes(*count) : "-"; };
    const auto traffic = [](bool known, std::uint64_t sum, std::uint64_t packets) {
        return known ? fmt::format("{} ({})", about_bytes(sum), packets) : "-";
    };
    Table table({"NAME", "CPU", "MEMORY", "PEAK", "PIDS", "THROTTLED", "READ", "WRITTEN", "RECEIVED (PACKETS)",
                 "SENT (PACKETS)", "FROM"});
    for (const Sample& sample : samples) {
        const Figures& figures = sample.figures;
        const bool has_network = figures.network.has_value();
        const netns::Counters network = figures.network.value_or(netns::Counters{});
        table.add({sample.name, sample.cpu_percent ? fmt::format("{:.1f}%", *sample.cpu_percent) : "-",
                   bytes(figures.memory), bytes(figures.memory_peak),
                   figures.pids ? std::to_string(*figures.pids) : "-",
                   figures.throttled_microseconds ? about_time(*figures.throttled_microseconds) : "-",
                   bytes(figures.bytes_read), bytes(figures.bytes_written),
                   traffic(has_network, network.received_bytes, network.received_packets),
                   traffic(has_network, network.sent_bytes, network.sent_packets), std::string(counted_by(figures))});
    }
    return table.text(width);
}

/// On a terminal each table takes the place of the one before.
class Screen {
public:
    Screen() : is_terminal_(::isatty(STDOUT_FILENO) == 1) {}

    void show(const std::vector<Sample>& samples) {
        if (!is_terminal_) {
            print((lines_++ == 0 ? "" : "\n") + table_of(samples, 0));
            return;
        }
        winsize size{};
        ::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size);
        const std::string up = lines_ > 0 ? fmt::format("\x1b[{}A\x1b[J", lines_) : "";
        print(up + table_of(samples, size.ws_col));
        lines_ = samples.size() + 1;
    }

private:
    bool is_terminal_;
    std::size_t lines_ = 0; ///< of what stands there
};

void wait_for(std::chrono::milliseconds time) {
    ::poll(nullptr, 0, static_cast<int>(time.count()));
}

int show(const std::vector<std::string>& names, bool once, bool json) {
    Sampler sampler(names);
    if (sampler.is_idle()) {
        return sampler.status();
    }
    Screen screen;
    static_cast<void>(sampler.take());
    wait_for(kShortest);
    for (;;) {
        const std::vector<Sample> samples = sampler.take();
        if (json) {
            print(json_lines(samples));
        } else {
            screen.show(samples);
        }
        // Who asked for some has nothing to wait for once they have ended.
        if (once || (!sampler.takes_all() && samples.empty())) {
            return sampler.status();
        }
        wait_for(kInterval);
    }
}

} // namespace

void add_stats(CLI::App& program, Action& chosen) {
    CLI::App* verb = program.add_subcommand("stats", "what sandboxes use now, a look a second");
    const auto names = std::make_shared<std::vector<std::string>>();
    const auto once = std::make_shared<bool>(false);
    const auto json = std::make_shared<bool>(false);
    verb->add_flag("--once", *once, "one look, and no more");
    verb->add_flag("--json", *json, "for programs: an object a line, for each sandbox at each look");
    verb->add_option("NAME", *names, "of these alone")->type_name("RUN");
    verb->callback(
        [&chosen, names, once, json] { chosen = [names, once, json] { return show(*names, *once, *json); }; });
}

} // namespace sandbox::ctl
