// sandbox [OPTIONS] [--] CMD [ARG...]: options and profile -> Profile -> Plan -> launch.
#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "cmd/common/diagnose.hpp"
#include "cmd/common/dry_run.hpp"
#include "cmd/common/lingering.hpp"
#include "cmd/common/options.hpp"
#include "cmd/common/print.hpp"
#include "cmd/common/profile_file.hpp"
#include "cmd/common/refuse_privilege.hpp"
#include "cmd/common/run_options.hpp"
#include "cmd/common/trace.hpp"
#include "cmd/sandbox/detach.hpp"
#include "cmd/sandbox/launch.hpp"
#include "cmd/sandbox/report.hpp"
#include "cmd/sandbox/report_file.hpp"
#include "cmd/sandbox/stats.hpp"
#include "core/base/error.hpp"
#include "core/base/fd.hpp"
#include "core/base/file.hpp"
#include "core/base/step_error.hpp"
#include "core/plan/host.hpp"
#include "core/plan/plan.hpp"
#include "core/run_log.hpp"
#include "core/standard_streams.hpp"

namespace sandbox {

namespace {

/// A copy of the descriptor, closed when anything is executed: 1 and 2 stay open for CMD, the copy does not.
Fd open_status_descriptor(int number, const std::array<bool, 3>& was_open) {
    const bool closed =
        static_cast<std::size_t>(number) < was_open.size() && !was_open[static_cast<std::size_t>(number)];
    const int flags = closed ? -1 : ::fcntl(number, F_GETFL);
    if (flags < 0 || (flags & O_ACCMODE) == O_RDONLY) {
        throw Error(fmt::format("--status-fd {}: cannot write to descriptor {}", number, number))
            .cause(flags < 0 ? "it is not open" : "it is open for reading only")
            .fix(fmt::format("sandbox --status-fd {} CMD {}>FILE", number, number));
    }
    Fd copy(::fcntl(number, F_DUPFD_CLOEXEC, 3));
    if (!copy) {
        throw Error(fmt::format("--status-fd {}: cannot duplicate the descriptor", number)).kernel(errno);
    }
    return copy;
}

/// What goes over standard error when a run has ended otherwise than by CMD's own end.
void tell_end(const Outcome& outcome, const Plan& plan, bool is_quiet) {
    if (!outcome.network_end.empty()) {
        complain("the network ended before CMD did: " + outcome.network_end);
    }
    if (!outcome.layer_end.empty()) {
        complain("a private layer was lost before CMD ended: " + outcome.layer_end);
    }
    if (outcome.out_of_memory) {
        complain(out_of_memory_text(plan, outcome.usage));
    } else if (outcome.init_killed) {
        complain(fmt::format("pid 1 of the sandbox was killed, by signal {}", outcome.signal));
    } else if (outcome.timed_out && !is_quiet) {
        complain(fmt::format("note: {} was ended when its time was over ({})",
                             sandbox::quoted(plan.process.arguments.front()), plan.timeout_origin.place()));
    }
}

void tell_report(const Report& report, const RunOptions& options) {
    const std::string text = report.text(options.report.when == ReportOptions::When::always);
    if (!text.empty()) {
        complain(text);
    }
}

void tell_stats(StatsFormat format, const CgroupPlan& plan, const RunUsage& usage) {
    if (format == StatsFormat::text) {
        complain(stats_text(plan, usage));
    } else {
        // Who cannot be told is no failure of CMD's.
        static_cast<void>(write_all(STDERR_FILENO, stats_json(usage) + "\n"));
    }
}

/// For a start that failed nobody will read the log; what fails later is told nowhere else.
void tell_log(const Error& error, const RunOptions& options) {
    if (options.log_size) {
        complain(error.what());
    }
}

/// Prints the trace when the scope ends, however it ends.
struct TracePrinter {
    const Trace* trace;

    explicit TracePrinter(const Trace* wanted) : trace(wanted) {}
    TracePrinter(const TracePrinter&) = delete;
    TracePrinter& operator=(const TracePrinter&) = delete;
    ~TracePrinter() {
        if (trace != nullptr) {
            complain("the steps of this run\n" + trace->text());
        }
    }
};

/// Who waits for the run learns of a report that is missing too: sandboxctl wait.
void write_report(ReportFile& file, const std::string& text, const Recorder& recorder) {
    try {
        file.write(text);
    } catch (const Error& error) {
        recorder.ended(failed_end_record(error));
        throw;
    }
}

int run_plan(const Plan& plan, const Host& host, const RunOptions& options, const StatusPipe& status,
             char** arguments) {
    Recorder recorder(plan, options.log_size.has_value());
    // CMD's outputs from here on, and what we have to say too.
    std::optional<RunLog> log;
    if (options.log_size) {
        log.emplace(recorder.directory(), *options.log_size);
    }
    const TracePrinter printer(log && options.verbose ? &options.trace : nullptr); // while the log is there
    try {
        const auto start = std::chrono::system_clock::now();
        std::optional<ReportFile> report_file;
        if (options.report.json) {
            report_file.emplace(*options.report.json, options.report.was_open, options.log_size.has_value());
        }
        Outcome outcome = launch(plan, options, status, recorder, arguments);
        const auto end = std::chrono::system_clock::now();
        const bool is_told = is_report_told(options.report, outcome, options.quiet, host.stderr_is_terminal);
        std::optional<Report> report;
        if (is_told || report_file) { // else nobody waits for it to be made
            report.emplace(outcome, options.tried != nullptr ? *options.tried : plan, host);
        }
        if (report_file) { // before the records of the end, behind which there is none of a failure
            write_report(*report_file, report->json(start, end), recorder);
        }
        recorder.ended(ended_record(outcome, ""));
        status.ended(outcome, options.stats == StatsFormat::none ? "" : stats_json(outcome.usage));
        tell_end(outcome, plan, options.quiet);
        if (is_told) {
            tell_report(*report, options);
        }
        if (options.stats != StatsFormat::none) {
            tell_stats(options.stats, plan.cgroup, outcome.usage);
        }
        return outcome.status;
    } catch (StepError& error) {
        add_causes(error, error.step(), error.error_number(), error.object(), plan, host);
        tell_log(error, options);
        throw;
    } catch (const Error& error) {
        tell_log(error, options);
        throw;
    }
}

/// In the caller's place, or detached from it.
int run_attached_or_not(const Plan& plan, const Host& host, const RunOptions& options, const Fd& status_file,
                        char** arguments) {
    const Detached detached = options.log_size ? detach(plan, status_file) : Detached{};
    if (detached.status) {
        return *detached.status;
    }
    const StatusPipe status(status_file.get(), detached.starter.get());
    if (!options.log_size) {
        return run_plan(plan, host, options, status, arguments);
    }
    try {
        return run_plan(plan, host, options, status, arguments);
    } catch (const Error& error) {
        status.failed(error); // the caller prints it
        return error.exit_status();
    }
}

/// A value that lives as long as the process: the kernel takes memory back faster than a thousand destructors do.
template <class T> const T& keep(T value) {
    return *new T(std::move(value));
}

/// Nobody is at a terminal of a detached sandbox.
void take_terminals_away(Host& host) {
    host.stdin_is_terminal = false;
    host.stdout_is_terminal = false;
    host.stderr_is_terminal = false;
}

void tell_notices(const Plan& plan, const Host& host, const RunOptions& options) {
    if (options.quiet) {
        return;
    }
    for (const std::string& notice : plan.notices) {
        complain("note: " + notice);
    }
    if (options.log_size && ends_with_last_session(host)) {
        complain("note: --detach: it may end with your last session; to keep it: loginctl enable-linger");
    }
}

/// --permissive: what CMD runs under in place of `tried`. Of the options those hold that neither show nor allow
/// anything. \throws Error where CMD would meet other files than those that `tried` speaks of.
Profile permissive_profile(const Profile& options, const Profile& profile, const Plan& tried) {
    if (tried.root.tree) {
        throw Error("--permissive: cannot run CMD on the host in the place of an image or a directory of its own")
            .fix("leave out --permissive: sandbox --explain CMD");
    }
    Profile kept;
    kept.ids = options.ids;
    kept.ids.map = profile.ids.map; // what this machine can map
    kept.limits = options.limits;
    kept.limits.net_in = {}; // they are of a network of the sandbox's own
    kept.limits.net_out = {};
    kept.environment = options.environment;
    kept.process = options.process;
    return merge(load_profile("permissive", built_in_search()), kept);
}

void tell_permissive(const Plan& tried) {
    complain(
        fmt::format("warning: CMD runs unprotected (--permissive): it can do all that you can, and what the profile "
                    "{} would refuse is only noted",
                    tried.profile));
}

/// Options and profile -> Plan -> run, or the Plan's text.
int run(const CommandLine& line, const RunOptions& options, const Fd& status_file, char** arguments) {
    Host gathered = gather_host();
    if (line.log_size) {
        take_terminals_away(gathered);
    }
    const Host& host = keep(std::move(gathered));
    options.trace.mark("look at the machine");

    const ProfileSearch search = profile_search(host.config_dir);
    Profile written = load_profile(line.profile_name, search);
    replace_seccomp(written, line.profile, search);
    const Profile& profile = keep(merge(std::move(written), line.profile));
    options.trace.mark("read the profile");

    const Command command{.arguments = line.arguments,
                          .name = line.name,
                          .entrypoint = line.entrypoint,
                          .stats = line.stats != StatsFormat::none};
    const Plan* plan = &keep(make_plan(profile, command, host));
    const Profile* shown = &profile;
    RunOptions with = options;
    if (line.permissive) {
        with.tried = plan;
        shown = &keep(permissive_profile(line.profile, profile, *plan));
        plan = &keep(make_plan(*shown, command, host));
    }
    options.trace.mark("make the plan");
    if (line.log_size && plan->process.terminal) {
        throw Error("--detach: cannot give CMD a terminal").cause("nobody is there to use it").fix("leave out --tty");
    }

    if (with.tried != nullptr) {
        tell_permissive(*with.tried); // the shown plan is not that of the profile that was asked for
    }
    if (line.mode == CommandLine::Mode::show_plan) {
        print(dry_run_text(*shown, *plan, line.log_size));
        return 0;
    }
    if (line.mode == CommandLine::Mode::show_plan_json) {
        print(dry_run_json(*shown, *plan, line.log_size));
        return 0;
    }
    tell_notices(*plan, host, options);
    return run_attached_or_not(*plan, host, with, status_file, arguments);
}

/// A detached run leaves the current directory.
ReportOptions report_options(const CommandLine& line, const std::array<bool, 3>& was_open) {
    ReportOptions options = line.report;
    options.was_open = was_open;
    if (options.json && !ReportFile::as_descriptor(*options.json) && line.log_size) {
        std::error_code none;
        options.json = std::filesystem::absolute(*options.json, none).string();
    }
    return options;
}

int start(const std::vector<std::string>& words, char** arguments) {
    refuse_privilege();
    const std::array<bool, 3> was_open = prepare_standard_streams();
    Trace trace;
    const CommandLine line = parse_command_line(words);
    trace.mark("read the options");
    if (line.mode == CommandLine::Mode::help) {
        print(help_text());
        return 0;
    }
    if (line.mode == CommandLine::Mode::version) {
        print("sandbox " SANDBOX_VERSION "\n");
        return 0;
    }
    const Fd status_file = line.status_fd >= 0 ? open_status_descriptor(line.status_fd, was_open) : Fd();
    const RunOptions options{.stats = line.stats,
                             .quiet = line.quiet,
                             .verbose = line.verbose,
                             .log_size = line.log_size,
                             .explain = line.explain,
                             .report = report_options(line, was_open),
                             .trace = trace};
    const TracePrinter printer(line.verbose && !line.log_size ? &trace : nullptr); // else into the log
    try {
        return run(line, options, status_file, arguments);
    } catch (const Error& error) {
        StatusPipe(status_file.get()).failed(error);
        throw;
    }
}

} // namespace

} // namespace sandbox

int main(int argc, char** argv) {
    try {
        const int first = argc > 0 ? 1 : 0; // execve(2) can start a program without any word
        return sandbox::start(std::vector<std::string>(argv + first, argv + argc), argv);
    } catch (const sandbox::Error& error) {
        sandbox::complain(error.what());
        return error.exit_status();
    } catch (const std::exception& error) {
        sandbox::complain(error.what());
        return sandbox::kOwnFailure;
    }
}
