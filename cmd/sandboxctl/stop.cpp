// sandboxctl stop|kill: the end of sandboxes that run.
#include <chrono>
#include <csignal>
#include <memory>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "cmd/sandboxctl/attempts.hpp"
#include "cmd/sandboxctl/ending.hpp"
#include "cmd/sandboxctl/runs.hpp"
#include "cmd/sandboxctl/signal_words.hpp"
#include "cmd/sandboxctl/verbs.hpp"
#include "core/base/error.hpp"
#include "core/plan/duration.hpp"

namespace sandbox::ctl {

namespace {

using Endings = std::vector<Ending>;

/// Waits for all of them. \return whether they have ended by then.
bool wait_until(const Endings& endings, Ending::Clock::time_point deadline) {
    bool all = true;
    for (const Ending& ending : endings) {
        all = ending.wait_until(deadline) && all;
    }
    return all;
}

/// Kills what is left of them, and comes back when nothing is.
void end_now(const Endings& endings, Attempts& attempts) {
    // A supervisor that does not get rid of CMD's last words goes without them; one that cannot end at all is killed.
    constexpr std::chrono::seconds kPatience{5};
    for (const Ending& ending : endings) {
        ending.kill_tree();
    }
    if (!wait_until(endings, Ending::Clock::now() + kPatience)) {
        for (const Ending& ending : endings) {
            ending.pass_on(SIGTERM);
            ending.let_continue();
        }
        if (!wait_until(endings, Ending::Clock::now() + kPatience)) {
            for (const Ending& ending : endings) {
                ending.kill_supervisor();
            }
        }
    }
    for (const Ending& ending : endings) {
        attempts.make([&] { ending.wait_for_rest(); });
    }
}

Endings open_all(const std::string& registry, Attempts& attempts) {
    Endings endings;
    for (FoundRun& run : find_runs(registry)) {
        attempts.make([&] { endings.emplace_back(registry, std::move(run)); });
    }
    return endings;
}

Endings open(const std::string& registry, const std::vector<std::string>& names, Attempts& attempts) {
    Endings endings;
    attempts.make_for_each(
        names, [&](const std::string& name) { endings.emplace_back(registry, expect_run(registry, name, names)); });
    return endings;
}

/// What asks CMD to end: the option's word, else the image's, else TERM. An image's that nobody passes on is none.
int stop_signal(const std::string& wanted, const FoundRun& run) {
    const std::optional<RunRecord> record = wanted.empty() ? record_of(run) : std::nullopt;
    if (record && !record->stop_signal.empty()) {
        try {
            return parse_signal(record->stop_signal, "the image's stop signal");
        } catch (const Error&) {
            return SIGTERM; // the image's mistake does not keep its sandbox running
        }
    }
    return wanted.empty() ? SIGTERM : parse_signal(wanted, "--signal");
}

int expect_signal(const std::string& text) {
    const int signal = parse_signal(text, "--signal");
    if (signal != SIGKILL && !is_passed_on(signal)) {
        throw Error(fmt::format("--signal: cannot send {} to a sandbox", signal_name(signal)))
            .cause("its supervisor, which passes signals on, would take this one itself")
            .fix("send it from inside: sandboxctl exec NAME kill");
    }
    return signal;
}

struct StopOptions {
    std::vector<std::string> names;
    bool all = false;
    std::string signal;
    std::string time = "10s";
};

int stop(const StopOptions& options) {
    if (options.all != options.names.empty()) {
        throw Error(options.all ? "stop: names and --all exclude each other" : "stop: no sandbox is named")
            .fix("sandboxctl stop NAME, or sandboxctl stop --all");
    }
    if (!options.signal.empty()) {
        expect_signal(options.signal);
    }
    const Origin origin{.kind = Origin::Kind::option, .source = "--time " + options.time, .key = {}};
    // None at all is a duration too, here.
    const bool at_once = options.time == "0" || options.time == "0s";
    const auto grace = at_once ? std::chrono::milliseconds(0) : parse_duration(options.time, origin);
    const std::string registry = run_registry();
    Attempts attempts;
    const Endings endings = options.all ? open_all(registry, attempts) : open(registry, options.names, attempts);
    for (const Ending& ending : endings) {
        const int signal = stop_signal(options.signal, ending.run());
        if (at_once || !is_passed_on(signal)) {
            ending.kill_tree();
        } else {
            ending.pass_on(signal);
            ending.let_continue();
        }
    }
    wait_until(endings, Ending::Clock::now() + grace);
    end_now(endings, attempts);
    return attempts.status();
}

int kill(const std::vector<std::string>& names, const std::string& signal) {
    const int number = expect_signal(signal);
    const std::string registry = run_registry();
    Attempts attempts;
    const Endings endings = open(registry, names, attempts);
    if (number == SIGKILL) {
        end_now(endings, attempts);
        return attempts.status();
    }
    for (const Ending& ending : endings) {
        ending.pass_on(number);
    }
    return attempts.status();
}

} // namespace

void add_stop(CLI::App& program, Action& chosen) {
    CLI::App* verb = program.add_subcommand("stop", "ask sandboxes to end, and end those that do not");
    const auto options = std::make_shared<StopOptions>();
    verb->add_option("-s,--signal", options->signal, "what asks CMD to end (default: the image's, else TERM)")
        ->type_name("SIGNAL");
    verb->add_option("-t,--time", options->time, "how long it may take before all is killed (default: 10s)")
        ->type_name("DURATION");
    verb->add_flag("-a,--all", options->all, "all that run");
    verb->add_option("NAME", options->names, "the sandboxes")->type_name("RUN");
    verb->callback([&chosen, options] { chosen = [options] { return stop(*options); }; });
}

void add_kill(CLI::App& program, Action& chosen) {
    CLI::App* verb = program.add_subcommand("kill", "kill sandboxes at once, or send CMD a signal");
    const auto names = std::make_shared<std::vector<std::string>>();
    const auto signal = std::make_shared<std::string>("KILL");
    verb->add_option("-s,--signal", *signal, "the signal; KILL (the default) kills all of the sandbox")
        ->type_name("SIGNAL");
    verb->add_option("NAME", *names, "the sandboxes")->required()->type_name("RUN");
    verb->callback([&chosen, names, signal] { chosen = [names, signal] { return kill(*names, *signal); }; });
}

} // namespace sandbox::ctl
