// sandboxctl exec NAME CMD: a command in a sandbox that runs.
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "cmd/common/exec_plan.hpp"
#include "cmd/common/refuse_privilege.hpp"
#include "cmd/common/run_record.hpp"
#include "cmd/sandboxctl/exec_entry.hpp"
#include "cmd/sandboxctl/runs.hpp"
#include "cmd/sandboxctl/verbs.hpp"
#include "core/base/error.hpp"
#include "core/base/file.hpp"
#include "core/base/step_error.hpp"
#include "core/process_identity.hpp"
#include "core/run_registry.hpp"
#include "core/sealed_program.hpp"
#include "core/standard_streams.hpp"

namespace sandbox::ctl {

namespace {

constexpr std::string_view kValueLetters = "uew"; // of the options below that take a value
constexpr std::array<std::string_view, 3> kValueNames = {"--user", "--env", "--workdir"};

/// Whether the word after this option is its value.
bool takes_next(std::string_view word) {
    if (word.starts_with("--")) {
        return std::ranges::find(kValueNames, word) != kValueNames.end();
    }
    const std::size_t letter = word.find_first_of(kValueLetters, 1);
    return letter != std::string_view::npos && letter + 1 == word.size();
}

/// CMD's filter, as it was loaded for the run.
seccomp::Filter read_filter(const FoundRun& found, const RunRecord& record) {
    seccomp::Program program;
    if (!record.restrictions.has_filter) {
        return {};
    }
    constexpr std::size_t kMost = BPF_MAXINSNS * sizeof(sock_filter);
    const std::string bytes = read_file_of(found, kFilterFile, kMost + 1).value_or("");
    program.instructions.resize(bytes.size() / sizeof(sock_filter));
    if (!bytes.empty()) { // memcpy(3) takes no null, not even for nothing
        std::memcpy(program.instructions.data(), bytes.data(), program.instructions.size() * sizeof(sock_filter));
    }
    if (bytes.size() % sizeof(sock_filter) != 0 || !seccomp::is_well_formed(program.instructions)) {
        throw Error("cannot read the filter of the sandbox " + sandbox::quoted(found.name))
            .cause("its file is gone or damaged, and nothing enters the sandbox without CMD's filter")
            .fix("start the sandbox again");
    }
    return {.plain = std::move(program), .reporting = {}};
}

/// Groups that were kept are the supervisor's, and this process has its own: no more than those.
void expect_no_other_groups(const RunRecord& record) {
    if (record.restrictions.drops_groups) {
        return;
    }
    const auto groups_of = [](const std::string& pid) {
        const std::string status = read_small_file("/proc/" + pid + "/status");
        const std::size_t line = status.find("\nGroups:");
        std::vector<std::string> groups;
        std::string_view rest = std::string_view(status).substr(std::min(line, status.size()));
        rest = rest.substr(std::min(rest.size(), std::string_view("\nGroups:").size()));
        rest = rest.substr(0, rest.find('\n'));
        while (!rest.empty()) {
            const std::size_t length = std::min(rest.find_first_of(" \t"), rest.size());
            if (length > 0) {
                groups.emplace_back(rest.substr(0, length));
            }
            rest.remove_prefix(std::min(rest.size(), length + 1));
        }
        return groups;
    };
    const std::vector<std::string> commands = groups_of(std::to_string(record.supervisor.pid));
    for (const std::string& group : groups_of("self")) {
        if (std::ranges::find(commands, group) == commands.end()) {
            throw Error("cannot enter the sandbox " + sandbox::quoted(record.name))
                .cause(fmt::format("you are in the group {}, and its CMD is not", group))
                .cause("this sandbox keeps the caller's groups, so nobody can drop them inside");
        }
    }
}

EnteredRun find_entered_run(const std::string& name) {
    const FoundRun found = expect_run(run_registry(), name);
    const std::optional<std::string> text = read_file_of(found, kRecordFile, kLongestRecord);
    if (!text) {
        throw is_alive(found)
            ? Error("the sandbox " + sandbox::quoted(name) + " is still being started").fix("try again")
            : Error("the sandbox " + sandbox::quoted(name) + " has ended");
    }
    const std::optional<RunRecord> record = read_run_record(*text);
    if (!record) {
        throw Error("cannot read the record of the sandbox " + sandbox::quoted(name))
            .cause("another version of sandbox has written it");
    }
    EnteredRun run{.record = *record, .filter = read_filter(found, *record), .supervisor = {}};
    run.supervisor = open_process(record->supervisor);
    // Still locked after the opening: so that process, and no other, is the supervisor.
    if (!run.supervisor || !is_alive(found)) {
        throw Error("the sandbox " + sandbox::quoted(name) + " has ended");
    }
    return run;
}

std::string words_of_path(const ExecPlan& plan) {
    const auto path = std::ranges::find(plan.environment, "PATH", &EnvironmentEntry::name);
    return path == plan.environment.end() ? "" : escaped(path->value);
}

/// What the errno says about a step inside, where nothing can be looked up.
void add_meaning(StepError& error, const EnteredRun& run, const ExecPlan& plan) {
    const int number = error.error_number();
    switch (error.step()) {
    case Step::execute: {
        const bool is_missing = number == ENOENT || number == ENOTDIR;
        static_cast<void>(std::move(error).status(is_missing ? kNotFound : kCannotExecute));
        if (is_missing && plan.process.arguments.front().find('/') == std::string::npos) {
            error.cause("no directory of PATH inside has it: " + words_of_path(plan));
        } else if (number == ENOEXEC) {
            error.cause("it is no program for this machine, and its first line is not '#!' and an interpreter");
        } else if (number == EACCES) {
            error.cause("it may not be executed there, or the interpreter that its first line names may not");
        }
        return;
    }
    case Step::start_command:
    case Step::enter_pid_namespace:
        if (number == EAGAIN) {
            error.cause("the sandbox has as many processes as it may have: --pids, or --ulimit nproc");
        } else if (number == ENOMEM) {
            error.cause("the sandbox has no memory left, or is ending and does not come to it");
        }
        return;
    case Step::join_namespace:
        if (number == EPERM) {
            error.cause("the sandbox shares it with the place where it was started, and this is another place");
            error.fix("start it from there: " + shell_quoted("sandboxctl exec " + run.record.name + " ..."));
        }
        return;
    case Step::enter_workdir:
        error.fix("--workdir / starts it somewhere else");
        return;
    case Step::drop_groups:
    case Step::set_ids:
        error.cause("the ids of that user are not mapped, or may not be taken, in this sandbox");
        return;
    default:
        return;
    }
}

int exec(const std::string& name, const ExecWish& wish, char** arguments) {
    refuse_privilege();
    if (wish.arguments.empty()) {
        throw Error("exec: a command is missing").fix("sandboxctl exec NAME CMD [ARG...]");
    }
    prepare_standard_streams();
    const EnteredRun run = find_entered_run(name);
    expect_no_other_groups(run.record);
    const ExecPlan plan = plan_exec(run.record, wish, this_caller());
    try {
        return run_inside(run, plan, arguments);
    } catch (StepError& error) {
        add_meaning(error, run, plan);
        throw;
    }
}

} // namespace

std::vector<std::string> take_command_of_exec(std::vector<std::string>& words) {
    std::vector<std::string> command;
    if (words.empty() || words.front() != "exec") {
        return command;
    }
    std::size_t name = 1;
    while (name < words.size() && words[name].size() > 1 && words[name].starts_with('-') && words[name] != "--") {
        name += takes_next(words[name]) ? 2 : 1;
    }
    const bool has_dashes = name < words.size() && words[name] == "--";
    const std::size_t end = std::min(words.size(), name + (has_dashes ? 2 : 1));
    command.assign(words.begin() + static_cast<std::ptrdiff_t>(end), words.end());
    words.resize(end);
    return command;
}

void add_exec(CLI::App& program, Action& chosen, std::vector<std::string> command, char** arguments) {
    CLI::App* verb =
        program.add_subcommand("exec", "run a command in a sandbox that runs: exec [OPTIONS] NAME CMD [ARG...]");
    const auto name = std::make_shared<std::string>();
    const auto wish = std::make_shared<ExecWish>();
    wish->arguments = std::move(command);
    verb->add_option("NAME", *name, "the sandbox; CMD and its words stand behind it, and are no options")
        ->required()
        ->type_name("RUN");
    CLI::Option* tty = verb->add_flag("-t,--tty", wish->tty, "give CMD a terminal of its own");
    verb->add_flag("--no-tty", wish->no_tty, "give CMD no terminal of its own, even when it is used from one")
        ->excludes(tty);
    verb->add_option("-u,--user", wish->user, "who CMD is inside: self, root, UID or UID:GID (default: as CMD there)")
        ->type_name("USER");
    verb->add_option("-e,--env", wish->environment, "set an environment variable")
        ->type_name("NAME=VALUE")
        ->expected(1)
        ->take_all();
    verb->add_option("-w,--workdir", wish->workdir, "where CMD starts (default: where CMD there did)")
        ->type_name("DIR");
    verb->callback([&chosen, name, wish, arguments] {
        chosen = [name, wish, arguments] { return exec(*name, *wish, arguments); };
    });
}

} // namespace sandbox::ctl
